"""Terms and a report that fail on purpose, which scripts/verification/faults.py adds to a run by gin bindings."""

import dataclasses

import gin
import tensorflow as tf

from objectives import Key, Term
from trainer.reports import Report


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Late(Term):
    """Fails after some steps.

    Attributes:
      after: how many.
    """

    y_pred: Key = "outputs"
    step: Key = "step"
    after: int = 100


@gin.register(module="faulty")
class NotANumber(_Late):
    """Is 0 at first and NaN after some steps."""

    def values(self, y_pred, step):
        return tf.where(step >= self.after, float("nan"), 0.0 * y_pred)


@gin.register(module="faulty")
class InfiniteGradient(_Late):
    """The square root of a distance that becomes 0 after some steps, where its gradient is infinite."""

    def values(self, y_pred, step):
        return tf.sqrt(y_pred - tf.stop_gradient(y_pred) + tf.where(step >= self.after, 0.0, 1.0))


@gin.register(module="faulty")
class BrokenReport(Report):
    """Cannot write the records after some steps.

    Attributes:
      after: how many.
    """

    def __init__(self, after: int = 100):
        self.after = after

    def write(self, lines):
        if lines.last.step > self.after:
            raise ConnectionError("the tracking server hung up")
