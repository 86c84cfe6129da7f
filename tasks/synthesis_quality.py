"""How good made digits are: whether there are real ones like them, of which digits, and how they are distributed."""

import dataclasses
import functools
from typing import Any

import numpy as np

from trainer import Measure

CLASSES = 10
MEASURES = {
    "classes_of_ten": Measure("of how many digits at least 1 % of the samples are recognised", better="more"),
    "recognised_percent": Measure("samples that are recognised as a digit, in per cent", better="more"),
    "imbalance_percent": Measure(
        "how many per cent of the samples had to be of another digit for all to be equally frequent, by the vote of "
        "the five nearest; 0 to 90",
        better="less",
    ),
    "frechet_distance": Measure(
        "the squared Fréchet distance between the pixels of the samples and of unseen real digits, ink from 0 to 1",
        better="less",
    ),
    "nearest_percent": Measure(
        "the mean distance to the nearest known digit, where that of unseen real digits is 100; near 0, samples are "
        "copies",
        better=100,
    ),
}
_NEIGHBOURS = 5
_FARTHEST = 0.95  # of unseen real digits so many are as near to a known one as a recognised digit has to be
_SHARE = 0.01  # a class comes out if so many of the samples are recognised as one of it


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judge:
    """Real digits, beside which made ones are held.

    A made digit is recognised if the five known real digits that are nearest to it in its pixels show the same digit,
    and the nearest is no farther than that of 95 % of unseen real digits. Ink that is no digit never is, while a
    classifier has to say something of everything. Of blends of two digits, a third as many are as of real ones.

    Attributes:
      known: the real digits that the made ones are like, or not, `[images, ...]` with ink from 0 to 1; None if they
        are not at hand, so that nothing is the nearest.
      unseen: other real digits, which say how near is near.
      digits: the digit that each known image shows, `[images]`; None if that is not known, so that none is recognised.
    """

    known: np.ndarray | None
    unseen: np.ndarray
    digits: np.ndarray | None

    def quality(self, images: np.ndarray) -> dict[str, float]:
        """Judges made digits, shaped as the real ones.

        Returns:
          The numbers that `MEASURES` names, but for those that nothing is known for.
        """
        pixels = _pixels(images)
        distance = {"frechet_distance": frechet_distance(pixels, _pixels(self.unseen))}
        if self.known is None:
            return distance
        distances, neighbours = self._looked_up(pixels)
        # Real digits that are all known, as where a run evaluates what it trains on, do not tell how near is near.
        near = self._distances_of_unseen.mean()
        nearest = {"nearest_percent": 100.0 * float(distances.mean() / near)} if near else {}
        return self._recognition(distances, neighbours) | distance | nearest

    def _recognition(self, distances: np.ndarray, neighbours: np.ndarray) -> dict[str, float]:
        if self.digits is None:
            return {}
        counts = np.stack([(self.digits[neighbours] == digit).sum(axis=1) for digit in range(CLASSES)], axis=1)
        votes, is_unanimous = counts.argmax(axis=1), counts.max(axis=1) == _NEIGHBOURS
        is_recognised = is_unanimous & (distances <= np.quantile(self._distances_of_unseen, _FARTHEST))
        shares = np.bincount(votes[is_recognised], minlength=CLASSES) / len(votes)
        frequencies = np.bincount(votes, minlength=CLASSES) / len(votes)
        return {
            "classes_of_ten": float((shares >= _SHARE).sum()),
            "recognised_percent": 100.0 * float(is_recognised.mean()),
            "imbalance_percent": 50.0 * float(np.abs(frequencies - 1 / CLASSES).sum()),
        }

    def _looked_up(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the distance to the nearest known digit, and which known ones are the nearest."""
        distances, neighbours = self._neighbours.kneighbors(pixels)
        return distances[:, 0], neighbours

    @functools.cached_property
    def _neighbours(self) -> Any:
        from sklearn.neighbors import NearestNeighbors  # imported here, so that other tasks do not wait for it

        assert self.known is not None, "quality saw to it"
        return NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(self.known))).fit(_pixels(self.known))

    @functools.cached_property
    def _distances_of_unseen(self) -> np.ndarray:
        return self._looked_up(_pixels(self.unseen))[0]


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Returns how far apart two clouds of points `[points, axes]` are, in their means and covariances.

    Formula: `|m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2))`, the squared distance of two normal distributions by
    Dowson and Landau (1982).

    >>> points = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0]])
    >>> round(frechet_distance(points, points + [3.0, 4.0]), 6)
    25.0
    """
    one, other = (np.cov(points, rowvar=False) for points in (first, second))
    # The product has the eigenvalues of a symmetric positive matrix; those that are 0 may come out below it.
    crossed = np.sqrt(np.clip(np.linalg.eigvals(one @ other).real, 0.0, None)).sum()
    apart = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
    # Rounding may leave a little less than nothing of equal clouds.
    return max(float(apart + np.trace(one) + np.trace(other) - 2.0 * crossed), 0.0)


def _pixels(images: np.ndarray) -> np.ndarray:
    """Returns images `[images, ...]` as rows of numbers of double precision."""
    return images.reshape(len(images), -1).astype(np.float64)
