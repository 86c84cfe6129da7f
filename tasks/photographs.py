"""Patches of two real photographs, where their edges are, and what blur, noise and gaps leave of them."""

import dataclasses
import functools

import gin
import numpy as np
from scipy.ndimage import correlate1d, gaussian_filter

_TRAIN_SHARE = 0.7  # of the width of each photograph, from the left


@gin.register(module="tasks")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Damage:
    """What happens to a picture: it is blurred, then disturbed by noise, then loses pixels.

    Attributes:
      blur: the standard deviation of the Gaussian blur, in pixels.
      noise: the standard deviation of the Gaussian noise of each channel, where white is 1.
      missing: the part of the pixels that are lost; all of their channels are 0 then.
    """

    blur: float = 1.0
    noise: float = 0.05
    missing: float = 0.2

    def applied(self, pictures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Returns damaged pictures `[..., height, width, channels]`, of the same shape.

        >>> picture = np.ones([1, 8, 8, 3], np.float32)
        >>> damaged = Damage(noise=0.0, missing=0.5).applied(picture, np.random.default_rng(0))
        >>> sorted({*damaged.ravel().tolist()})
        [0.0, 1.0]
        """
        damaged = gaussian_filter(pictures, self.blur, axes=(-3, -2))
        damaged = damaged + self.noise * rng.standard_normal(pictures.shape, np.float32)
        return damaged * (rng.random(pictures.shape[:-1]) >= self.missing)[..., None]


def photographs(part: int) -> list[np.ndarray]:
    """Returns the left (0) or the right part (1) of both photographs, `[height, width, 3]`, from 0 to 1.

    They are `china.jpg` and `flower.jpg`, which scikit-learn bundles. No pixel is in both parts.

    >>> [photograph.shape for photograph in photographs(0) + photographs(1)]
    [(427, 448, 3), (427, 448, 3), (427, 192, 3), (427, 192, 3)]
    """
    return [np.split(photograph, [int(_TRAIN_SHARE * photograph.shape[1])], axis=1)[part] for photograph in _loaded()]


def random_patches(pictures: list[np.ndarray], count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Cuts patches at random places of pictures `[height, width, channels]`: `[count, size, size, channels]`."""
    patches = []
    for i in rng.integers(len(pictures), size=count):
        height, width = pictures[i].shape[:2]
        patches.append(_cut(pictures[i], rng.integers(height - size + 1), rng.integers(width - size + 1), size))
    return np.stack(patches)


def tiles(pictures: list[np.ndarray], size: int) -> np.ndarray:
    """Cuts pictures into patches side by side, `[patches, size, size, channels]`; what is left at edges is left out."""
    corners = [
        (each, top, left)
        for each in pictures
        for top in range(0, each.shape[0] - size + 1, size)
        for left in range(0, each.shape[1] - size + 1, size)
    ]
    return np.stack([_cut(each, top, left, size) for each, top, left in corners])


def edge_strength(pictures: np.ndarray) -> np.ndarray:
    """Returns the length of the gradient of the brightness by Sobel's filters, for `[..., height, width, channels]`.

    It is 1 at an edge along an axis between black and white, and 0 where nothing changes: `[..., height, width]`.

    >>> edge_strength(np.repeat([[[0.0], [0.0], [1.0], [1.0]]], 3, axis=0))[1]
    array([0., 1., 1., 0.])
    """
    brightness = pictures.mean(axis=-1)
    return np.hypot(_slope(brightness, along=-1, across=-2), _slope(brightness, along=-2, across=-1))


def texture(pictures: np.ndarray) -> np.ndarray:
    """Returns the mean edge strength of each block of 4 x 4 pixels: `[..., height / 4, width / 4]`."""
    strength = edge_strength(pictures)
    *batch, height, width = strength.shape
    return strength.reshape(*batch, height // 4, 4, width // 4, 4).mean(axis=(-3, -1))


def _slope(brightness: np.ndarray, *, along: int, across: int) -> np.ndarray:
    differences = correlate1d(brightness, [-1.0, 0.0, 1.0], axis=along, mode="nearest")
    return correlate1d(differences, [0.25, 0.5, 0.25], axis=across, mode="nearest")


def _cut(picture: np.ndarray, top: int, left: int, size: int) -> np.ndarray:
    return picture[top : top + size, left : left + size]


@functools.cache
def _loaded() -> list[np.ndarray]:
    from sklearn.datasets import load_sample_images  # imported here, so that other tasks do not wait for it

    return [image.astype(np.float32) / 255.0 for image in load_sample_images().images]
