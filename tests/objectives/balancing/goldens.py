"""What others say of each method: numbers of a library, a paper or a closed form. Tests and docs/methods.md share them.

`CONFLICT` is the matrix of gradients in the tests of TorchJD.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import objectives as o
from tests.objectives.balancing.methods import CONFLICT, follow_of, values_of, weigh_of, weights_of

TORCHJD = "TorchJD 0.18"
CLOSED = "closed form"
# Values of three terms in two steps, of which the second is the first but for one term.
_STEPS = np.array([[1.0, 2.0, 4.0], [0.5, 2.0, 4.0]])


class Golden(NamedTuple):
    """What a method finds of one thing, and what it should find.

    Attributes:
      method: as it is configured.
      of: what the numbers are: factors, or the update that the gradients make with them.
      expected: the numbers.
      whose: where they are from.
      found: computes ours.
      within: how far ours may be from them, beside the largest.
    """

    method: Any
    of: str
    expected: Sequence[float]
    whose: str
    found: Callable[[], np.ndarray]
    within: float = 1e-5

    @property
    def difference(self) -> float:
        """The largest difference, divided by the largest number expected."""
        expected = np.asarray(self.expected)
        return float(np.max(np.abs(self.found() - expected)) / np.max(np.abs(expected)))


def _update(method, expected, whose=TORCHJD, within=1e-4):
    """The update that gradients in conflict make; TorchJD's tests say so to four digits."""
    return Golden(method, "update", expected, whose, lambda: CONFLICT.T @ weights_of(method)(CONFLICT), within)


def _factors(method, expected, whose=CLOSED, within=1e-5):
    """The factors of gradients in conflict."""
    return Golden(method, "factors", expected, whose, lambda: weights_of(method)(CONFLICT), within)


def _after(method, steps, expected, whose, within=1e-5):
    """The factors after steps with these values."""
    return Golden(method, "factors", expected, whose, lambda: follow_of(method)(steps)[-1], within)


def _at(method, jacobian, expected, whose=CLOSED, within=1e-5, steps=1):
    """The factors in a step with these gradients, after others with the same."""
    return Golden(method, "factors", expected, whose, lambda: _stepped(method, np.asarray(jacobian), steps), within)


def _stepped(method, jacobian, steps):
    state = None
    for _ in range(steps):
        factors, state = weigh_of(method)(jacobian, state=state)
    return factors


def _drawn(method):
    return follow_of(method)(np.ones([2, 3])).sum(axis=1)


def _priced(method):
    """How a multiplier and a factor answer to a value that is 2 above its limit, for two steps."""
    state = method.first_state(["term_0"])
    for _ in range(2):
        factors, state = method.weigh(values_of([3.0]), state)
    return np.array([state["multipliers"][0], factors[0]])


_ROOTS = np.sqrt(np.diag(CONFLICT @ CONFLICT.T))

GOLDENS = [
    _update(o.MGDA(), [0, 1, 1]),
    _factors(o.MGDA(), [0.6, 0.4]),
    _update(o.CAGrad(c=0.5), [0.1835, 1.2041, 1.2041]),
    _update(o.UPGrad(regularization=2e-4), [0.2929, 1.9004, 1.9004], within=2e-4),  # It adds a part of the mean square.
    _factors(o.UPGrad(), [10 / 9, 15 / 19]),
    _update(o.DualProj(regularization=3e-4), [0.5563, 1.1109, 1.1109], within=2e-4),
    _factors(o.DualProj(), [11 / 18, 1 / 2]),
    _update(o.IMTLG(), [0.0767, 1, 1]),
    _factors(o.IMTLG(), _ROOTS[::-1] / _ROOTS.sum()),
    _update(o.ConFIG(), [0.1588, 2.0706, 2.0706]),
    _update(o.NashMTL(max_norm=1.0), [0.0542, 0.7061, 0.7061]),
    _update(o.NashMTL(), [0.07658, 0.99853, 0.99853], "formula of the paper, in float64"),
    _update(o.AlignedMTL(), [0.2133, 0.9673, 0.9673]),
    _update(o.PCGrad(), [0.5848, 3.8012, 3.8012]),
    _factors(o.PCGrad(), [20 / 9, 30 / 19]),
    _at(o.GradVac(), CONFLICT, [20 / 9, 30 / 19], "closed form: PCGrad in the first step"),
    _at(
        o.GradNorm(alpha=0.0, learning_rate=1e-2), [[1, 0], [0, 3]],
        [1.5, 0.5], f"{CLOSED}, after 100 steps", 1e-2, steps=100,
    ),
    _at(o.GradientAnnealing(reference="term_1", share=1.0), CONFLICT, [6 / 2, 1.0]),
    _at(o.InverseDirichlet(share=1.0), [[1, -1], [3, -3]], [3.0, 1.0]),
    _after(o.UncertaintyWeighting(learning_rate=0.1), [_STEPS[0]] * 200, [1 / 2, 1 / 4, 1 / 8], CLOSED, 1e-3),
    _after(o.IMTLL(learning_rate=0.1), [_STEPS[0]] * 200, [1, 1 / 2, 1 / 4], CLOSED, 1e-3),
    _after(
        o.DynamicWeightAverage(period=2), [[3, 1], [1, 1], [0.5, 1.5], [1.5, 0.5]],  # the means 2 and 1, then 1 and 1
        [0.8756, 1.1244], "formula of the paper, in float64", 1e-4,
    ),
    # Its authors take the slope at the oldest value, which is the one at the latest of the series turned round.
    _after(
        o.SoftAdapt(window=5, beta=-0.1),
        np.array([[1, 2, 3, 4, 5], [150, 100, 50, 10, 0.1], [1500, 1000, 500, 100, 1]])[:, ::-1].T,
        [0.99343, 0.0065666, 3.9e-22], "test of its authors",
    ),
    _after(o.ReLoBRaLo(alpha=0.0), _STEPS, 3 * np.exp([0.5, 1, 1]) / np.exp([0.5, 1, 1]).sum(), CLOSED),
    Golden(o.RandomWeighting(), "sum of the factors", [3, 3], CLOSED, lambda: _drawn(o.RandomWeighting())),
]  # fmt: skip
GOLDENS += [
    Golden(method, "multiplier and factor", [0.4, 2.4], CLOSED, lambda method=method: _priced(method))
    for method in (o.Lagrangian(limits={"term_0": 1.0}, learning_rate=0.1, method=one) for one in ("augmented", "mdmm"))
]
