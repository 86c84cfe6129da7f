"""Clipping: bounds on the gradient of the whole batch, the same on every replica."""

import dataclasses

import tensorflow as tf

from trainer.steps.gradients import global_norm


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clipping:
    """Bounds a gradient that is summed over replicas and unscaled already: by value first, then by global norm.

    Attributes:
      value: the largest size of any element; None for no bound.
      norm: the largest norm of the whole; None for no bound.

    >>> clipped = Clipping(norm=1.0)([tf.constant([3.0]), tf.constant([4.0])])
    >>> [round(float(gradient[0]), 4) for gradient in clipped]
    [0.6, 0.8]
    """

    value: float | None = None
    norm: float | None = None

    def __call__(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        if self.value is not None:
            gradients = [tf.clip_by_value(gradient, -self.value, self.value) for gradient in gradients]
        if self.norm is not None:
            scale = self.norm / tf.maximum(global_norm(gradients), self.norm)
            gradients = [gradient * tf.cast(scale, gradient.dtype) for gradient in gradients]
        return gradients
