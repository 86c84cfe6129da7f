"""The landscape of two terms of Liu et al. (2021, CAGrad), on which a plain sum gets stuck, and ways down on it.

The upper half has two narrow valleys, of which each is good for one term; all trade-offs lie in the lower half.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy.optimize
import tensorflow as tf

import objectives as o
from objectives.balancing import TermGradients, Values, ValueWeighting, Weighting

STARTS = ((-8.5, 7.5), (-8.5, -5.0), (0.0, 0.0), (9.0, 9.0), (10.0, -8.0))
LEARNING_RATE = 1e-3
NEAR = 0.1
SUM = "the plain sum"
METHODS: dict[str, Weighting | None] = {
    SUM: None,
    **{
        type(method).__name__: method
        for method in (
            *(o.RandomWeighting(), o.UncertaintyWeighting(), o.IMTLL(), o.DynamicWeightAverage(period=100)),
            *(o.SoftAdapt(), o.ReLoBRaLo(), o.GradNorm(), o.GradientAnnealing(reference="first")),
            *(o.InverseDirichlet(), o.PCGrad(), o.GradVac(), o.MGDA(), o.CAGrad(c=0.5), o.IMTLG(), o.ConFIG()),
            *(o.NashMTL(), o.AlignedMTL(), o.UPGrad(), o.DualProj()),
        )
    },
}
_NAMES = ("first", "second")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Way:
    """Where a method went from one start.

    Attributes:
      points: float `[points, 2]`, the first of which is the start.
    """

    points: np.ndarray

    @property
    def distance(self) -> float:
        """How far the end is from the Pareto set."""
        return float(np.min(np.linalg.norm(self.points[-1] - pareto_set(1001), axis=1)))

    @property
    def arrived(self) -> bool:
        return self.distance <= NEAR


def ways(method: Weighting | None, steps: int, points: int = 200) -> list[Way]:
    """Returns the way from each start by Adam in float32; without a method, that of the plain sum."""
    trajectory = _trajectory(method, steps, points)
    return [Way(points=trajectory(tf.constant(start)).numpy()) for start in STARTS]


def terms(place: tf.Tensor) -> tf.Tensor:
    """Returns the values of both terms, `[..., 2]`, at places `[..., 2]`."""
    x, y = tf.unstack(place, axis=-1)
    upper, lower = tf.maximum(tf.tanh(0.5 * y), 0.0), tf.maximum(tf.tanh(-0.5 * y), 0.0)
    valleys = [0.5 * (-x - 7.0) - tf.tanh(-y), 0.5 * (-x + 3.0) + tf.tanh(-y) + 2.0]
    bowls = [((-x + 7.0) ** 2 + 0.1 * (-y - 8.0) ** 2) / 10.0, ((-x - 7.0) ** 2 + 0.1 * (-y - 8.0) ** 2) / 10.0]
    return tf.stack(
        [
            upper * (tf.math.log(tf.maximum(tf.abs(valley), 5e-6)) + 6.0) + lower * (bowl - 20.0)
            for valley, bowl in zip(valleys, bowls, strict=True)
        ],
        axis=-1,
    )


def pareto_set(points: int) -> np.ndarray:
    """Returns places from which no term gets better unless the other gets worse, float `[points, 2]`.

    The slopes of both terms along x oppose one another from -7 to 7 alone, in a proportion that x says. Those along y
    have the same proportion at one y, a little below -8, as there the factor of both terms still grows.
    """
    return np.stack([[x, scipy.optimize.brentq(_slope_across, -10.0, -8.0, (x,))] for x in np.linspace(-7, 7, points)])


def _slope_across(y: float, x: float) -> float:
    """Returns the derivative by y of the mean of both terms that is least at x."""
    shares = np.array([7.0 + x, 7.0 - x]) / 14.0
    bowls = (np.array([(7.0 - x) ** 2, (7.0 + x) ** 2]) + 0.1 * (y + 8.0) ** 2) / 10.0 - 20.0
    steepness = -0.5 * (1.0 - np.tanh(0.5 * y) ** 2)
    return float(shares @ bowls * steepness + np.tanh(-0.5 * y) * 0.02 * (y + 8.0))


def _trajectory(method: Weighting | None, steps: int, points: int):
    """Returns a compiled function from a start to places on the way from there."""
    between = max(steps // points, 1)

    def step(count, place, mean, square, factors, state):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(place)
            first, second = tf.unstack(terms(place))
        gradients = [tape.gradient(one, place) for one in (first, second)]
        factors, after, state = _weighed(method, gradients, tf.stack([first, second]), factors, state)
        slope = factors[0] * gradients[0] + factors[1] * gradients[1]
        count += 1.0
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        size = tf.sqrt(square / (1.0 - 0.999**count)) + 1e-8
        return count, place - LEARNING_RATE * mean / (1.0 - 0.9**count) / size, mean, square, after, state

    @tf.function(jit_compile=True, autograph=False)
    def run(start):
        state = {} if method is None else tf.nest.map_structure(tf.constant, dict(method.first_state(_NAMES)))
        factors = tf.ones([2]) if method is None else method.first_factors(_NAMES)
        carried = (tf.constant(0.0), start, tf.zeros([2]), tf.zeros([2]), factors, state)
        seen = tf.TensorArray(tf.float32, steps // between + 1, element_shape=[2]).write(0, start)

        def stretch(number, seen, carried):
            _, *carried = tf.while_loop(
                lambda i, *_: i < between, lambda i, *now: (i + 1, *step(*now)), (tf.constant(0), *carried)
            )
            return number + 1, seen.write(number, carried[1]), tuple(carried)

        _, seen, _ = tf.while_loop(
            lambda number, *_: number <= steps // between, stretch, (tf.constant(1), seen, carried)
        )
        return seen.stack()

    return run


def _weighed(method, gradients: Sequence[tf.Tensor], values: tf.Tensor, factors: tf.Tensor, state):
    """Returns the factors of a step, those of the next one if they are found from this one's values, and the state."""
    if method is None:
        return factors, factors, state
    known = Values(values, tf.ones([2]), tf.ones([2], tf.bool), _NAMES)
    if isinstance(method, ValueWeighting):
        return factors, *method.weigh(known, state)
    found, state = method.weigh(TermGradients([[one] for one in gradients], known), state)
    return found, found, state
