"""A case: a term with tensors, and what an oracle that we did not write says of it."""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from objectives import BaseTerm

STEP = 1e-5  # of finite differences


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """A term, what it reads, and its unreduced values in float64; the last read is the one to differentiate by."""

    term: BaseTerm
    tensors: dict[str, np.ndarray]
    oracle: Callable[..., np.ndarray]
    functions: dict[str, Callable] = dataclasses.field(default_factory=dict)  # what else it reads, such as the model
    whose: str = "NumPy"  # the library whose function the oracle calls
    mask_shape: tuple[int, ...] | None = None  # of a mask an element, where it is not the shape of the values
    value_mask: Callable[[np.ndarray], np.ndarray] = lambda mask: mask

    @property
    def by(self) -> str:
        return list(self.tensors)[-1]

    @property
    def in_float64(self) -> dict[str, np.ndarray]:
        """The tensors, those of float32 as float64."""
        return {name: a.astype(np.float64) if a.dtype == np.float32 else a for name, a in self.tensors.items()}

    @functools.cached_property
    def masked(self) -> BaseTerm:
        """The term with a mask and sample weights; one object, so that what is compiled of it can be kept."""
        return dataclasses.replace(self.term, mask="weights.mask", sample_weight="sample_weight")

    def values(self, **changed: np.ndarray) -> np.ndarray:
        return self.oracle(**{name: np.asarray(a, _wide(a)) for name, a in {**self.tensors, **changed}.items()})

    def mean(self, mask=1.0, factor=1.0, **changed: np.ndarray) -> float:
        """Of the values; `mask` and `factor` are in the shape of the values or spread over it from the left."""
        values = self.values(**changed)
        mask, factor = (_spread(a, values.shape) for a in (mask, factor))
        return np.sum(values * mask * factor) / np.sum(mask)

    def gradient(self, mask=1.0, factor=1.0) -> np.ndarray:
        """Of the mean by the last read, by finite differences in float64."""
        point = self.tensors[self.by].astype(np.float64)
        gradient = np.empty_like(point)
        for index in np.ndindex(point.shape):
            ends = np.stack([point, point])
            ends[(0, *index)] += STEP
            ends[(1, *index)] -= STEP
            above, below = (self.mean(mask, factor, **{self.by: end}) for end in ends)
            gradient[index] = (above - below) / (2 * STEP)
        return gradient


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kink:
    """A term where its formula has a kink, a zero or a tie, and the gradient of its mean there, by the last read."""

    term: BaseTerm
    tensors: dict[str, np.ndarray]
    gradient: np.ndarray
    functions: dict[str, Callable] = dataclasses.field(default_factory=dict)

    @property
    def by(self) -> str:
        return list(self.tensors)[-1]


def flat(term, tensors, **functions):
    """A kink at which the gradient is 0."""
    *_, last = tensors.values()
    return Kink(term=term, tensors=tensors, gradient=np.zeros(last.shape, np.float32), functions=functions)


def normal(*shape, seed=0):
    """Generic points: no ties, no grid points, nothing on a bound; exact in float32."""
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def labels(*shape, classes=3):
    return np.random.default_rng(shape).integers(classes, size=shape, dtype=np.int32)


def pairs(y_true, y_pred):
    return {"y_true": y_true, "y_pred": y_pred}


def at(*numbers):
    return np.array(numbers, np.float32)


def _wide(array):
    return np.int64 if np.issubdtype(array.dtype, np.integer) else np.float64


def _spread(array, shape):
    array = np.asarray(array, np.float64)
    return np.broadcast_to(array.reshape(array.shape + (1,) * (len(shape) - array.ndim)), shape)
