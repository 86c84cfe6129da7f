"""Metric: the base class of what an evaluation computes besides the terms.

A metric is a small frozen object. Fields that hold keys say what it reads, as those of a term do; three methods say how
its state begins, how a batch changes it, and what it amounts to:

    @gin.register(module="trainer.metrics")
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class LargestError(Metric):
        y_true: Key = "targets"
        y_pred: Key = "outputs"

        def initial_state(self):
            return tf.constant(0.0)

        def updated(self, state, y_true, y_pred):
            return tf.maximum(state, tf.reduce_max(tf.abs(y_true - y_pred)))

        def result(self, state):
            return state

The state is updated once a batch with the examples of all replicas, without padding and what the mask hides. So it
need not be a sum, and is the same whatever the number of replicas.
"""

import abc
import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from objectives import Context, Key
from objectives.errors import ConfigurationError, Mistakes
from objectives.fields import Checked, require_fields
from objectives.keys import is_of_batch, require_key, split_key
from objectives.readings import hiding
from objectives.reads import align, widen
from trainer.metrics.selection import Read, counted, poison_where, refuse_unfit, selected


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metric(Checked, abc.ABC):
    """A measure of a model over all examples of evaluation, which is not optimised.

    Attributes:
      mask: key of a tensor of zeros and ones, `[batch]` or the first axes of what the metric reads. What it hides is
        left out before the metric sees it: rows of the batch, or with more axes single positions, such as the steps of
        a sequence, which become rows. A number between 0 and 1 belongs in `sample_weight`.
      sample_weight: key of a weight for each example `[batch]`, or for each position. It is an argument of `updated`
        too if it is given; in a mean it enters the sum and the count, as in the metrics of Keras.
      labels: the names of the numbers of a result that is a vector, such as classes; by default they are numbered.
    """

    mask: Key | None = None
    sample_weight: Key | None = None
    labels: Sequence[str] = ()

    @abc.abstractmethod
    def initial_state(self) -> Any:
        """Returns the state before the first batch: a nest of tensors of fixed shapes."""

    @abc.abstractmethod
    def updated(self, state: Any, *args: Any, **kwargs: Any) -> Any:
        """Returns the state after a batch; traced once.

        Args:
          state: the state before it.
          *args: what the metric reads `[examples, ...]`; each argument bears the name of the field that holds its key.
            They are the examples of all replicas that count, at least one. Half precision is passed as float32.
          **kwargs: likewise; `sample_weight` is passed if the metric has one.

        Returns:
          A nest like `state`.
        """

    @abc.abstractmethod
    def result(self, state: Any) -> Any:
        """Returns what the state amounts to: a number, a vector, or a dict of them; evaluated eagerly."""

    def labelled(self, class_names: Mapping[Key, Sequence[str]]) -> "Metric":
        """Returns the metric with the names of the classes that targets number, given by their keys.

        A metric whose `labels` name classes takes them where it was given none; by default it is itself.
        """
        return self

    def details(self, state: Any) -> Mapping[str, Any]:
        """Returns what `draw` draws, as texts, numbers and lists of them, by name; evaluated eagerly."""
        return {}

    def draw(self, details: Mapping[str, Any], axes: Any) -> None:
        """Draws the details on Matplotlib axes. A metric that defines it has a picture of each evaluation."""

    @property
    def adds_up(self) -> bool:
        """Whether the metric is known to add up what each example gives, so that no trial has to show it.

        Where it counts what is above a threshold, a trial could not: rounding decides about what equals the threshold.
        """
        return False

    @property
    def is_drawn(self) -> bool:
        """Whether the metric has a picture."""
        return type(self).draw is not Metric.draw

    def __post_init__(self):
        mistakes = Mistakes()
        for field, key in {**self.reads, **self._selections}.items():
            with mistakes.gathered(f"{type(self).__name__}.{field}"):
                require_key(key)
                if split_key(key)[0] == "model":
                    raise ConfigurationError("a metric reads tensors; expected another key than 'model'")
        if len({*self.labels}) < len(self.labels):
            twice = next(label for label in self.labels if [*self.labels].count(label) > 1)
            mistakes.messages.append(f"{type(self).__name__}.labels has {twice!r} twice; expected names that differ")
        mistakes.raise_any()

    @property
    def reads(self) -> Mapping[str, Key]:
        """The key of each argument of `updated`, but for the state and the sample weight."""
        names = [name for name in inspect.signature(self.updated).parameters if name not in ("state", "sample_weight")]
        require_fields(self, "updated", names)
        return {name: key for name in names if (key := getattr(self, name)) is not None}

    @property
    def keys(self) -> frozenset[Key]:
        """Every key that the metric reads, those of its mask and its weights included."""
        return frozenset([*self.reads.values(), *self._selections.values()])

    @property
    def key_of_keras_mask(self) -> Key | None:
        """The key of the tensor whose Keras mask is used besides `mask`; None for a metric that ignores Keras masks."""
        return None

    def read(self, context: Context) -> Read:
        """Returns what the metric reads of a batch, in a context that has all of it.

        Raises:
          ConfigurationError: A key names no tensor, or shapes do not fit.
        """
        tensors = {name: widen(context[key]) for name, key in self._of_arguments.items()}
        shown, poison = counted(self.mask, self.key_of_keras_mask, context, self.keys)
        if shown is not None:
            refuse_unfit(shown, {name: tensors[name] for name in self._of_batch})
        return Read(tensors, shown, poison + self._poison(tensors, shown))

    def arguments(self, read: Read) -> dict[str, tf.Tensor]:
        """Returns the arguments of `updated` for a batch: what counts of it, brought to shapes that fit."""
        return self._aligned(selected(read, self._of_batch))

    def prepare(self, tensors: Mapping[str, tf.Tensor]) -> None:
        """Called before the first update, outside of a trace, with tensors like the arguments."""

    def _aligned(self, tensors: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return align(tensors, ())

    def _poison(self, tensors: Mapping[str, tf.Tensor], shown: tf.Tensor | None) -> tf.Tensor:
        """Returns NaN if something that counts lies outside of its range, else 0."""
        with hiding([] if shown is None else [shown]):
            return poison_where(self._outside(tensors), shown)

    def _outside(self, tensors: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        """Returns what lies outside of its range, bools `[batch, ...]` for each tensor with a range; it is recorded."""
        return []

    @property
    def _of_arguments(self) -> dict[str, Key]:
        """The key of each argument of `updated` but for the state."""
        return {**self.reads, **self._weights}

    @property
    def _of_batch(self) -> list[str]:
        """The names of the arguments whose first axis is the batch."""
        return [name for name, key in self._of_arguments.items() if is_of_batch(key)]

    @property
    def _weights(self) -> dict[str, Key]:
        return {} if self.sample_weight is None else {"sample_weight": self.sample_weight}

    @property
    def _selections(self) -> dict[str, Key]:
        return {**({} if self.mask is None else {"mask": self.mask}), **self._weights}
