"""FitStep: the update that Keras's `fit` makes, by the same maths as a trainer's; nothing non-finite is applied."""

import contextlib
import dataclasses
import threading
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

import keras
import tensorflow as tf

from objectives import Context
from objectives.readings import Reading, recording
from trainer.steps.forward import Forward
from trainer.steps.gradients import Batch
from trainer.steps.guarded import train_if_sound
from trainer.steps.variables.adoption import Adoption
from trainer.steps.weighted_sum import WeightedSum


class InPlace(Adoption):
    """Stands for the adoption of variables that were made where they are used, as Keras expects."""

    def __init__(self) -> None:
        self.placed = []

    @property
    def is_at_work(self) -> bool:
        """Always True."""
        return True

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Moves nothing."""
        yield


@dataclasses.dataclass(frozen=True, kw_only=True)
class WatchedForward(Forward):
    """A forward pass that keeps what the model put out, for the metrics of `compile`.

    Attributes:
      seen: the outputs of the latest pass of each thread; replicas are traced in threads of their own.
    """

    seen: threading.local = dataclasses.field(default_factory=threading.local)

    def context(self, batch: Batch, step: tf.Tensor, *, training: bool) -> Context:
        context = super().context(batch, step, training=training)
        self.seen.outputs = context.outputs
        return context

    def take_outputs(self) -> Any:
        """Returns what the model put out in the pass before, once."""
        return self.seen.__dict__.pop("outputs")


class Outcome(NamedTuple):
    """What an update gave.

    Attributes:
      row: the numbers that `TrainStep.tags` names, float32 `[tags]`.
      norm: that of the gradient, a float32 scalar; an update whose norm is not finite is not made.
      sound: whether the update may be made, a bool; also where it overflowed and a loss scale is to be lowered.
      readings: what has a range, such as labels, and which of it is outside.
    """

    row: tf.Tensor
    norm: tf.Tensor
    sound: tf.Tensor
    readings: Sequence[Reading]


@dataclasses.dataclass(frozen=True, kw_only=True)
class FitStep(WeightedSum):
    """An update within `keras.Model.fit`, whose only optimizer scales the loss itself if it is to be scaled.

    Attributes:
      optimizer: the optimizer.
    """

    optimizer: keras.optimizers.Optimizer

    allowing_unreached: ClassVar[str] = "ObjectiveModel(..., allow_unreached=True)"

    def scaled(self, loss: tf.Tensor) -> tf.Tensor:
        """Returns the loss times the scale of the optimizer, which it divides the gradients by."""
        return self.optimizer.scale_loss(loss)

    def train_if(self, wanted: tf.Tensor, batch: Batch, step: tf.Tensor) -> Outcome:
        """Updates the model once, unless that is unwanted or the update is not finite.

        The weights, the statistics of layers and the optimizer are then as they were before.

        Args:
          wanted: a bool scalar.
          batch: the replica's shard of the batch.
          step: the number of updates done before.
        """
        with recording() as readings:
            row, sound = train_if_sound(self, batch, step, wanted=wanted)
        return Outcome(row, row[self.tags.index("optimizer/grad_norm")], sound, readings)

    def sound(self, row: tf.Tensor) -> tf.Tensor:
        """Returns whether an update may be made; an optimizer that scales the loss leaves out an overflow itself."""
        total, norm = (tf.math.is_finite(row[self.tags.index(tag)]) for tag in ("loss/total", "optimizer/grad_norm"))
        if not isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            return total & norm
        return total & norm | ~norm & (tf.convert_to_tensor(self.optimizer.dynamic_scale) > 1.0)
