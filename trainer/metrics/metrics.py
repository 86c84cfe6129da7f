"""Metrics: the named metrics of a run, and what they amount to over all examples."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, TypeVar

import gin
import keras
import tensorflow as tf

from objectives import Context, Key
from objectives.annotations import Expected
from objectives.blame import blamed
from objectives.errors import Mistakes
from objectives.fields import require_fit
from objectives.indices import guarded, poison
from objectives.names import require_names
from objectives.readings import evaluating
from trainer.metrics.fetching import Fetched, fetch
from trainer.metrics.keras_metric import KerasMetric
from trainer.metrics.metric import Metric
from trainer.metrics.progress import Progress, advanced, begun, numbers
from trainer.metrics.selection import Read
from trainer.metrics.trial import refuse_inexact
from trainer.reports.picture import Picture

Result = TypeVar("Result")

_METRIC = Annotated[
    Metric | keras.metrics.Metric | str | None,
    Expected(
        "a metric, such as @KerasMetric() or @keras.metrics.AUC() in a gin file, KerasMetric(...) or "
        "keras.metrics.AUC() in Python (wrap a function in FunctionMetric)"
    ),
]


@gin.register(module="trainer.metrics")
class Metrics:
    """Named metrics, which an evaluation computes besides the terms.

    As in an `Objective`, each is passed by its name, so that a gin file or a command line can add, change or drop any
    one of them; one given as None is dropped. A metric `auc` is logged as `metrics/auc`. One that gives a vector is
    logged as `metrics/auc/0` and so on, one that gives a dict as `metrics/auc/<key>`.

    A metric of Keras, or its name, stands for a `KerasMetric` of it that compares `outputs` with `targets`.

    Attributes:
      metrics: the metrics by name, in the order of their names.

    Raises:
      ConfigurationError: A value is not a metric, or a name cannot be part of a tag.

    >>> import keras
    >>> from trainer import KerasMetric
    >>> size = KerasMetric(metric=keras.metrics.Mean(), y_pred="activations.hidden")
    >>> metrics = Metrics(auc=keras.metrics.AUC(), size=size, unused=None)
    >>> list(metrics.metrics)
    ['auc', 'size']
    """

    def __init__(self, **metrics: Metric | keras.metrics.Metric | str | None):
        require_names("a metric", metrics)
        require_fit("Metrics", metrics, dict.fromkeys(metrics, _METRIC))
        kept, mistakes = {}, Mistakes()
        for name, metric in sorted(metrics.items()):
            with mistakes.gathered(f"Metrics.{name}"):
                if metric is not None:
                    kept[name] = metric if isinstance(metric, Metric) else KerasMetric(metric=metric)
        mistakes.raise_any()
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

    def labelled(self, class_names: Mapping[Key, Sequence[str]]) -> "Metrics":
        """Returns the metrics with the names of the classes that targets number, given by their keys."""
        return Metrics(**{name: metric.labelled(class_names) for name, metric in self.metrics.items()})

    def fetch(self, context: Context) -> Fetched:
        """Returns what all metrics read of a batch, from all replicas; traced in replica context.

        Raises:
          ConfigurationError: Keys name no tensors. The message names all metrics at fault.
        """
        self._each(lambda name, metric: [context[key] for key in metric.keys])
        return fetch(self.keys, context)

    def read(self, context: Context) -> dict[str, Read]:
        """Returns what each metric reads of a batch, in a context that has it; what is out of range is recorded.

        Raises:
          ConfigurationError: Shapes do not fit. The message names all metrics at fault.
        """

        def read(name: str, metric: Metric) -> Read:
            reader = f"the metric {name!r}"
            with evaluating(reader, metric.reads), guarded(reader) as flags:
                found = metric.read(context)
            return found._replace(poison=found.poison + poison(flags)) if flags else found

        return self._each(read)

    def prepare(self, fetched: Fetched) -> None:
        """Readies the metrics for what `fetch` returns, given as a nest of specs.

        Raises:
          ConfigurationError: A metric does not take what it reads.
        """
        masks = {metric.mask for metric in self.metrics.values()}
        batch = Fetched(
            {key: _like(spec, shown=key in masks) for key, spec in fetched.tensors.items()},
            {key: _like(spec, shown=True) for key, spec in fetched.masks.items()},
            None,
        )
        self._each(lambda name, metric: metric.prepare(metric.arguments(metric.read(batch.context))))

    def begin(self) -> dict[str, Progress]:
        """Returns what each metric has seen before the first batch."""
        return self._each(lambda name, metric: begun(metric))

    def update(self, progress: Mapping[str, Progress], fetched: Fetched) -> dict[str, Progress]:
        """Returns what each metric has seen after a batch, given what `fetch` returned; traced.

        Raises:
          ConfigurationError: A metric does not take what it reads. The message names all metrics at fault.
        """
        reads = self.read(fetched.context)
        return self._each(lambda name, metric: advanced(metric, progress[name], reads[name]))

    def refuse_inexact(self, fetched: Fetched) -> None:
        """Raises ConfigurationError where a metric depends on how examples are cut into batches; see `trial`."""
        self._each(lambda name, metric: refuse_inexact(metric, fetched))

    def values(self, progress: Mapping[str, Progress]) -> dict[str, float]:
        """Returns the numbers of all metrics by tag; a metric for which nothing counted has none.

        Raises:
          ConfigurationError: A metric amounts to something else than numbers.
        """
        found = self._each(lambda name, metric: numbers(metric, progress[name]))
        return {f"metrics/{name}{path}": value for name, own in found.items() for path, value in own.items()}

    def pictures(self, progress: Mapping[str, Progress], step: int) -> list[Picture]:
        """Returns a picture of each metric that draws one, and for which something counted."""

        def picture(name: str, metric: Metric) -> list[Picture]:
            state, rows, _ = progress[name]
            if not (metric.is_drawn and int(rows)):
                return []
            return [Picture(name=name, step=step, data=metric.details(state), draw=metric.draw)]

        return list(itertools.chain.from_iterable(self._each(picture).values()))

    def _each(self, call: Callable[[str, Metric], Result]) -> dict[str, Result]:
        """Returns what a function makes of each metric, by name; all mistakes are told together."""
        found, mistakes = {}, Mistakes()
        for name, metric in self.metrics.items():
            with mistakes.gathered(_named(name, metric)), blamed():
                found[name] = call(name, metric)
        mistakes.raise_any()
        return found

    def __repr__(self) -> str:
        return f"Metrics({', '.join(f'{name}={metric!r}' for name, metric in self.metrics.items())})"


def _like(spec: tf.TensorSpec, *, shown: bool) -> tf.Tensor:
    """Returns a tensor like a spec: of ones if it is a mask, so that everything counts, else of zeros."""
    shape = [size or 1 for size in spec.shape]
    return tf.ones(shape, spec.dtype) if shown else tf.zeros(shape, spec.dtype)


def _named(name: str, metric: Metric) -> str:
    return f"metric {name!r} ({type(metric).__name__})"
