"""The Gram matrix as sizes and angles: how long the gradients are, and how they stand to one another.

Methods compute with angles in float64, so that a gradient that is a million times longer than another one hides nothing
of it, and give each term its own scale back at the end.
"""

from typing import Any, NamedTuple

import tensorflow as tf

# Products of float32 tell two gradients apart down to an angle of about this number's root.
OWN = 1e-6


class Angles(NamedTuple):
    """What methods read of a Gram matrix.

    Attributes:
      known: bool `[terms]`, which gradients are not 0.
      sizes: float64 `[terms]`, the norm of each gradient; 1 for one that is 0.
      cosines: float64 `[terms, terms]`; a gradient that is 0 is at right angles to all others.
      sound: whether all products are finite, bool.
    """

    known: tf.Tensor
    sizes: tf.Tensor
    cosines: tf.Tensor
    sound: tf.Tensor

    @property
    def counted(self) -> tf.Tensor:
        """One for each gradient that is known, and 0 for the others, float64 `[terms]`."""
        return tf.cast(self.known, tf.float64)

    @property
    def number(self) -> tf.Tensor:
        """How many gradients are known, at least 1, float64."""
        return tf.maximum(tf.reduce_sum(self.counted), 1.0)

    def independent(self, own: float = OWN) -> tf.Tensor:
        """Returns the cosines of gradients that depend on one another no more, a positive definite matrix.

        To each gradient belongs a small part of its own, at right angles to all others. Without it the factors of equal
        and of opposite gradients would be any of many, or infinite.

        Args:
          own: the square of that part, where the gradient's norm is 1.
        """
        rounding = tf.nn.relu(-tf.linalg.eigvalsh(self.cosines)[0] - 0.5 * own)
        return self.cosines + (own + rounding) * tf.eye(self.cosines.shape[0], dtype=tf.float64)

    def factors(self, found: tf.Tensor) -> tf.Tensor:
        """Returns factors `[terms]`: those found, 0 for terms without a gradient; NaN where products are not finite."""
        return tf.where(self.sound, tf.where(self.known, found, 0.0), float("nan"))


def angles(gram: Any) -> Angles:
    """Returns the sizes and angles of gradients, given the products of each two of them, `[terms, terms]`.

    >>> found = angles([[4.0, 3.0], [3.0, 9.0]])
    >>> found.sizes.numpy().tolist(), found.cosines.numpy().tolist()
    ([2.0, 3.0], [[1.0, 0.5], [0.5, 1.0]])
    """
    gram = tf.cast(gram, tf.float64)
    sound = tf.reduce_all(tf.math.is_finite(gram))
    # A decomposition of NaN raises an error in some executions.
    squares = tf.where(sound, tf.linalg.diag_part(gram), 0.0)
    known = squares > 0
    sizes = tf.sqrt(tf.where(known, squares, 1.0))
    cosines = (gram + tf.transpose(gram)) / (2.0 * sizes[:, tf.newaxis] * sizes)
    cosines = tf.where(known[:, tf.newaxis] & known, tf.clip_by_value(cosines, -1.0, 1.0), 0.0)
    return Angles(known, sizes, tf.linalg.set_diag(cosines, tf.ones_like(sizes)), sound)
