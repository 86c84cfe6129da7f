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

    @property
    def bounds(self) -> bool:
        """Whether there is any bound."""
        return self.value is not None or self.norm is not None

    def __call__(self, gradients: list[tf.Tensor], norm: tf.Tensor | None = None) -> list[tf.Tensor]:
        """Bounds gradients, and returns them; their global norm is computed unless it is given."""
        if self.value is not None:
            gradients, norm = [tf.clip_by_value(gradient, -self.value, self.value) for gradient in gradients], None
        if self.norm is not None:
            norm = global_norm(gradients) if norm is None else norm
            scale = self.norm / tf.maximum(norm, self.norm)
            gradients = [gradient * tf.cast(scale, gradient.dtype) for gradient in gradients]
        return gradients
