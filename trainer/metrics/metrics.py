"""Metrics: the named metrics of a run, and what they amount to over all examples."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

import gin
import tensorflow as tf

from objectives import ConfigurationError, Context, Key
from objectives.annotations import Expected
from objectives.blame import blamed
from objectives.errors import Mistakes
from objectives.fields import require_fit
from objectives.indices import guarded, poison
from objectives.ranges import evaluating
from trainer.metrics.metric import Metric
from trainer.metrics.numbers import numbers_of
from trainer.metrics.selection import Read

_METRIC = Annotated[
    Metric | None,
    Expected(
        "a metric, such as @KerasMetric() in a gin file or KerasMetric(metric=keras.metrics.AUC()) in Python (wrap a "
        "metric of Keras in KerasMetric, a function in FunctionMetric)"
    ),
]


class Progress(NamedTuple):
    """What a metric has seen so far.

    Attributes:
      state: its own.
      rows: the number of rows or positions that counted, int64.
      poison: NaN if something that counted lay outside of its range, else 0.
    """

    state: Any
    rows: tf.Tensor
    poison: tf.Tensor


@gin.register(module="trainer.metrics")
class Metrics:
    """Named metrics, which an evaluation computes besides the terms.

    As in an `Objective`, each is passed by its name, so that a gin file or a command line can add, change or drop any
    one of them; one given as None is dropped. A metric `auc` is logged as `metrics/auc`. One that gives a vector is
    logged as `metrics/auc/0` and so on, one that gives a dict as `metrics/auc/<key>`.

    Attributes:
      metrics: the metrics by name, in the order of their names.

    Raises:
      ConfigurationError: A value is not a metric, or a name cannot be part of a tag.

    >>> import keras
    >>> from trainer import KerasMetric
    >>> metrics = Metrics(mean=KerasMetric(metric=keras.metrics.Mean()), unused=None)
    >>> list(metrics.metrics)
    ['mean']
    """

    def __init__(self, **metrics: Metric | None):
        wrong = [name for name in metrics if not re.fullmatch(r"\w[\w.-]*", name)]
        if wrong:
            raise ConfigurationError(
                *(f"a metric is named {name!r}; expected letters, digits, '_', '-' and '.'" for name in wrong)
            )
        require_fit("Metrics", metrics, dict.fromkeys(metrics, _METRIC))
        kept = {name: metric for name, metric in sorted(metrics.items()) if metric is not None}
        self.metrics: Mapping[str, Metric] = MappingProxyType(kept)

    def __bool__(self) -> bool:
        return bool(self.metrics)

    @property
    def keys(self) -> frozenset[Key]:
        """Every key that some metric reads."""
        return frozenset().union(*(metric.keys for metric in self.metrics.values()))

    @property
    def readers(self) -> Mapping[Key, str]:
        """For each key, the metrics that read it, in words for messages."""
        return {
            key: ", ".join(_named(name, metric) for name, metric in self.metrics.items() if key in metric.keys)
            for key in self.keys
        }

    def read(self, context: Context) -> dict[str, Read]:
        """Returns what each metric reads of a batch, from all replicas; traced in replica context.

        Raises:
          ConfigurationError: Keys name no tensors, or shapes do not fit. The message names all metrics at fault.
        """
        found, mistakes = {}, Mistakes()
        for name, metric in self.metrics.items():
            reader = f"the metric {name!r}"
            with mistakes.gathered(_named(name, metric)), blamed(), evaluating(reader, metric.reads):
                with guarded(reader) as flags:
                    read = metric.read(context)
                found[name] = read._replace(poison=read.poison + poison(flags)) if flags else read
        mistakes.raise_any()
        return found

    def prepare(self, reads: Mapping[str, Any]) -> None:
        """Readies the metrics for what `read` returns, given as a nest of specs.

        Raises:
          ConfigurationError: A metric does not take what it reads.
        """
        mistakes = Mistakes()
        for name, metric in self.metrics.items():
            with mistakes.gathered(_named(name, metric)), blamed():
                read = reads[name]
                metric.prepare(metric.arguments(tf.nest.map_structure(_one_row, read)))
        mistakes.raise_any()

    def begin(self) -> dict[str, Progress]:
        """Returns what each metric has seen before the first batch."""
        nothing = (tf.constant(0, tf.int64), tf.constant(0.0))
        return {name: Progress(metric.initial_state(), *nothing) for name, metric in self.metrics.items()}

    def update(self, progress: Mapping[str, Progress], reads: Mapping[str, Read]) -> dict[str, Progress]:
        """Returns what each metric has seen after a batch, given what `read` returned; traced.

        Raises:
          ConfigurationError: A metric does not take what it reads. The message names all metrics at fault.
        """
        found, mistakes = {}, Mistakes()
        for name, metric in self.metrics.items():
            with mistakes.gathered(_named(name, metric)), blamed():
                found[name] = _updated(metric, progress[name], reads[name])
        mistakes.raise_any()
        return found

    def values(self, progress: Mapping[str, Progress]) -> dict[str, float]:
        """Returns the numbers of all metrics by tag; a metric for which nothing counted has none.

        Raises:
          ConfigurationError: A metric amounts to something else than numbers.
        """
        found: dict[str, float] = {}
        mistakes = Mistakes()
        for name, metric in self.metrics.items():
            state, rows, poison = progress[name]
            with mistakes.gathered(_named(name, metric)), blamed():
                numbers = numbers_of(metric.result(state), metric.labels) if int(rows) else {}
                found |= {f"metrics/{name}{path}": value + float(poison) for path, value in numbers.items()}
        mistakes.raise_any()
        return found

    def __repr__(self) -> str:
        return f"Metrics({', '.join(f'{name}={metric!r}' for name, metric in self.metrics.items())})"


def _updated(metric: Metric, progress: Progress, read: Read) -> Progress:
    arguments = metric.arguments(read)
    rows = tf.constant(1) if read.counted is None else tf.math.count_nonzero(read.counted)

    def with_batch() -> Any:
        return metric.updated(progress.state, **arguments)

    state = with_batch() if read.counted is None else tf.cond(rows > 0, with_batch, lambda: progress.state)
    return Progress(state, progress.rows + tf.cast(rows, tf.int64), progress.poison + read.poison)


def _one_row(spec: tf.TensorSpec | None) -> tf.Tensor | None:
    """Returns a tensor of zeros like a spec, with one row; a mask shows it."""
    if spec is None:
        return None
    shape = [1, *(size or 1 for size in spec.shape[1:])] if spec.shape.rank else []
    return tf.ones(shape, spec.dtype) if spec.dtype.is_bool else tf.zeros(shape, spec.dtype)


def _named(name: str, metric: Metric) -> str:
    return f"metric {name!r} ({type(metric).__name__})"
