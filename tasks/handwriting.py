"""Handwriting: the digits of scikit-learn, in two parts that share no image."""

import dataclasses
import functools

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Handwriting:
    """Handwritten digits of scikit-learn's `load_digits`, 8 x 8 pixels each.

    Attributes:
      images: ink from 0 to 1, `[images, 8, 8]`.
      digits: the digit each one shows, `[images]`.
    """

    images: np.ndarray
    digits: np.ndarray

    @classmethod
    def split(cls, seed: int, share: float = 0.7) -> tuple["Handwriting", "Handwriting"]:
        """Returns two disjoint collections of real images: `share` of them, and the rest.

        >>> train, held_out = Handwriting.split(seed=0)
        >>> len(train.images), len(held_out.images)
        (1257, 540)
        """
        images, digits = _scanned()
        order = np.random.default_rng([seed, 0]).permutation(len(images))
        first, rest = np.split(order, [int(share * len(order))])
        return cls(images=images[first], digits=digits[first]), cls(images=images[rest], digits=digits[rest])


@functools.cache
def _scanned() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits  # imported here, so that other tasks do not wait for it

    images, digits = load_digits(return_X_y=True)
    return (images.reshape(-1, 8, 8) / 16.0).astype(np.float32), digits
