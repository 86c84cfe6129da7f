"""Closeness: whether numbers that have to be equal are so up to rounding, and words for where they are not."""

from collections.abc import Mapping

import numpy as np

from objectives.keys import Key
from objectives.testing.check import Fault
from objectives.testing.subject import Subject

# Of float32, over sums of some ten values.
ROUNDING = 1e-5
# Numbers smaller than this are equal to 0 up to rounding, in relation to what they are computed from.
_SMALL = 1e-3


def require_close(
    found: object, expected: object, what: str, remedy: str, rtol: float = ROUNDING, beside: object = ()
) -> None:
    """Raises Fault unless numbers are equal up to rounding, which is measured by the largest of them.

    Where they are what larger numbers cancel to, `beside` are results of the same formula by which it is measured too.

    >>> require_close([1.0, 2.0], [1.0, 3.0], "the value in parts", "compute each example by itself")
    Traceback (most recent call last):
        ...
    objectives.testing.check.Fault: the value in parts is 2 where 3 is expected; compute each example by itself
    """
    found, expected = (np.asarray(one, np.float64) for one in (found, expected))
    if found.shape != expected.shape:
        raise Fault(f"{what} has the shape {found.shape} where {expected.shape} is expected; {remedy}")
    sizes = np.abs(np.append(expected, np.asarray(beside, np.float64)))
    finite = sizes[np.isfinite(sizes)]
    near = np.isclose(found, expected, rtol=rtol, atol=rtol * max([_SMALL, *finite]), equal_nan=True)
    if not near.all():
        at = tuple(np.argwhere(~near)[0])
        raise Fault(f"{what} is {found[at]:.7g} where {expected[at]:.7g} is expected; {remedy}")


def require_close_gradients(
    found: Mapping[Key, np.ndarray],
    expected: Mapping[Key, np.ndarray],
    subject: Subject,
    where: str,
    remedy: str,
    rtol: float = ROUNDING,
    beside: Mapping[Key, np.ndarray] | None = None,
) -> None:
    """Raises Fault unless gradients are equal up to rounding; the message names the read."""
    for key, gradient in found.items():
        other = () if beside is None else beside[key]
        require_close(gradient, expected[key], f"the gradient by {subject.names[key]} {where}", remedy, rtol, other)


def require_finite(subject: Subject, value: np.ndarray, gradients: Mapping[Key, np.ndarray], where: str) -> None:
    """Raises Fault unless a value and its gradients are finite."""
    if not np.isfinite(value):
        raise Fault(
            f"the value is {value} {where}; compute it by a formula that stays finite there, such as "
            f"tf.nn.softplus(x) for tf.math.log(1 + tf.exp(x)), or tf.math.divide_no_nan for a division"
        )
    for key, gradient in gradients.items():
        if not np.isfinite(gradient).all():
            odd = gradient[~np.isfinite(gradient)][0]
            raise Fault(
                f"the gradient by {subject.names[key]} is {odd} {where}, while the value is {value:.5g}; a root, a "
                f"norm or a division has no slope there: put a harmless number in by tf.where before the operation, "
                f"and the right result by another tf.where after it"
            )
