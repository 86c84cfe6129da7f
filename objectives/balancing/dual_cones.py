"""Methods that change gradients as little as is needed for an update that no term objects to: UPGrad and DualProj."""

import dataclasses
from typing import Annotated

import gin
import tensorflow as tf

from objectives.annotations import Expected
from objectives.balancing.angles import OWN, angles
from objectives.balancing.quadratic_programs import least
from objectives.balancing.weighting import GramWeighting

_Part = Annotated[float, Expected("a number from 1e-6 to 1", lambda number: 1e-6 <= number <= 1)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Projection(GramWeighting):
    """Shares what makes dependent gradients independent."""

    regularization: _Part = OWN


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class UPGrad(_Projection):
    """Turns each gradient as little as is needed until it conflicts with none, and takes the mean of them.

    Formula: `sum_i argmin |sum_j v_j g_j|` over all `v >= e_i / m`, with the gradients g of the m terms, and `e_i`
    which is 1 at i and 0 elsewhere (Quinton and Rey, 2024).

    No term gets worse to first order, and each has an influence in proportion to its gradient, so that the weights of
    terms keep their meaning. A good first choice. Where nothing conflicts each factor is 1 / m: the update is the mean
    of the gradients, not their sum.

    Attributes:
      regularization: how large a part of its own each gradient is thought to have (its square, beside the gradient's),
        so that there is one solution where gradients depend on one another. The update may conflict by as much.

    >>> UPGrad().weights([[18.0, -22.0], [-22.0, 38.0]]).numpy().round(4).tolist()
    [1.1111, 0.7895]
    """

    def weights(self, gram):
        seen = angles(gram)
        matrix = seen.independent(self.regularization)
        # In each row how much of every gradient, as long as 1, is added to the one of that row.
        added = least(matrix, matrix * seen.counted[:, tf.newaxis] * seen.counted)
        summed = tf.linalg.matvec(added, seen.counted * seen.sizes, transpose_a=True)
        return seen.factors((1.0 + summed / seen.sizes) / seen.number)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class DualProj(_Projection):
    """Turns the mean gradient as little as is needed until it conflicts with none.

    Formula: `argmin |sum_j v_j g_j|` over all `v >= 1 / m`, with the gradients g of the m terms (Lopez-Paz and Ranzato,
    2017, gradient episodic memory).

    No term gets worse to first order. A term with a short gradient hardly counts until it is in conflict; `UPGrad`
    listens to each. Where nothing conflicts each factor is 1 / m: the update is the mean of the gradients, not their
    sum.

    Attributes:
      regularization: how large a part of its own each gradient is thought to have (its square, beside the gradient's),
        so that there is one solution where gradients depend on one another. The update may conflict by as much.

    >>> DualProj().weights([[18.0, -22.0], [-22.0, 38.0]]).numpy().round(4).tolist()
    [0.6111, 0.5]
    """

    def weights(self, gram):
        seen = angles(gram)
        matrix = seen.independent(self.regularization)
        mean = seen.counted * seen.sizes / seen.number
        added = least(matrix, (seen.counted * tf.linalg.matvec(matrix, mean))[tf.newaxis])[0]
        return seen.factors(1.0 / seen.number + added / seen.sizes)
