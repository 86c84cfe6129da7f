"""Scenes of real handwritten digits, with a class for every pixel.

A scene holds two to four digits of scikit-learn's `load_digits` (8 x 8 pixels each), enlarged, kept mostly
apart, among clutter (scraps of handwritten digits that are not looked for) and noise.
"""

import dataclasses

import numpy as np

from tasks.handwriting import Handwriting

_STROKE = 0.45  # a pixel belongs to a digit where the digit's ink, from 0 to 1, is above this


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scenes:
    """Scenes and what is to be learned from them.

    Attributes:
      images: brightness, about 0 to 1, float32 `[scenes, size, size, 1]`.
      classes: 0 for background and clutter, i + 1 for `digits[i]`, int32 `[scenes, size, size]`.
      border: 1 where a neighbour (of eight) has another class, else 0, float32 `[scenes, size, size]`.
    """

    images: np.ndarray
    classes: np.ndarray
    border: np.ndarray


def compose(
    handwriting: Handwriting, digits: tuple[int, ...], *, scenes: int, size: int, noise: float, rng: np.random.Generator
) -> Scenes:
    """Draws `scenes` scenes of `size` x `size` pixels that show `digits`, with Gaussian noise of deviation `noise`."""
    wanted = np.flatnonzero(np.isin(handwriting.digits, digits))
    others = np.flatnonzero(~np.isin(handwriting.digits, digits))
    brightness = rng.uniform(0.0, 0.2, [scenes, 1, 1]).astype(np.float32) * np.ones([1, size, size], np.float32)
    strongest = np.full([scenes, size, size], _STROKE, np.float32)
    classes = np.zeros([scenes, size, size], np.int32)
    class_of = np.zeros(10, np.int32)
    class_of[list(digits)] = np.arange(1, len(digits) + 1)
    shown = rng.integers(2, 5, scenes)
    for slot, centres in enumerate(_places(rng, scenes, count=4, size=size)):
        chosen = rng.choice(wanted, scenes)
        ink = _enlarge(rng, handwriting.images[chosen], centres, size) * (slot < shown)[:, None, None]
        # Where two digits touch, the pixel is the one's with more ink.
        classes = np.where(ink > strongest, class_of[handwriting.digits[chosen]][:, None, None], classes)
        strongest = np.maximum(strongest, ink)
        brightness = np.maximum(brightness, ink * rng.uniform(0.6, 1.0, [scenes, 1, 1]).astype(np.float32))
    for _ in range(3):
        scraps = handwriting.images[rng.choice(others, scenes)] * _quarters(rng, scenes)
        centres = rng.uniform(0, size, [scenes, 2]).astype(np.float32)
        brightness = np.maximum(brightness, _enlarge(rng, scraps, centres, size))
    brightness += noise * rng.standard_normal(brightness.shape, np.float32)
    return Scenes(images=brightness[..., None], classes=classes, border=borders(classes))


def borders(classes: np.ndarray) -> np.ndarray:
    """Marks pixels whose class is not that of all eight neighbours by 1, others by 0: float32, shaped as `classes`.

    >>> borders(np.array([[[0, 0, 0, 2]]]))
    array([[[0., 0., 1., 1.]]], dtype=float32)
    """
    height, width = classes.shape[1:]
    padded = np.pad(classes, ((0, 0), (1, 1), (1, 1)), mode="edge")
    shifted = [padded[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return np.any([classes != neighbour for neighbour in shifted], axis=0).astype(np.float32)


def _places(rng, scenes: int, *, count: int, size: int) -> np.ndarray:
    """Centres `[count, scenes, 2]`: each is the candidate that is farthest from all earlier ones (Mitchell, 1991)."""
    inside = (0.2 * size, 0.8 * size)
    places = [rng.uniform(*inside, [scenes, 2]).astype(np.float32)]
    while len(places) < count:
        candidates = rng.uniform(*inside, [scenes, 12, 2]).astype(np.float32)
        apart = np.min([np.linalg.norm(candidates - place[:, None], axis=-1) for place in places], axis=0)
        places.append(candidates[np.arange(scenes), apart.argmax(axis=1)])
    return np.stack(places)


def _enlarge(rng, images: np.ndarray, centres: np.ndarray, size: int) -> np.ndarray:
    """Images `[n, 8, 8]` enlarged by 1.4 to 1.9, each axis by itself, onto canvases `[n, size, size]`.

    Bilinear interpolation is separable: canvas = rows . image . columns, with tent functions as weights.
    """
    scale = rng.uniform(1.4, 1.9, [len(images), 2]).astype(np.float32)
    pixels = np.arange(size, dtype=np.float32)
    source = (pixels - centres[..., None]) / scale[..., None] + 3.5
    tents = np.maximum(0.0, 1.0 - np.abs(source[..., None] - np.arange(8, dtype=np.float32)))
    rows, columns = tents[:, 0], tents[:, 1]
    return rows @ images @ columns.transpose(0, 2, 1)


def _quarters(rng, count: int) -> np.ndarray:
    """Masks `[count, 8, 8]` that leave one 4 x 4 corner of an image."""
    halves = np.arange(8) // 4 == rng.integers(0, 2, [count, 2, 1])
    return (halves[:, 0, :, None] & halves[:, 1, None, :]).astype(np.float32)
