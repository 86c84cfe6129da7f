"""Differential equations that outputs shall obey."""

import dataclasses
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated

import gin
import tensorflow as tf

from objectives.annotations import Expected
from objectives.errors import ConfigurationError, expected
from objectives.keys import Derivative, Key
from objectives.term import Term

_FUNCTION = "a function of derivatives, such as @my_function in a gin file, with @gin.register above it"


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class PdeResidual(Term):
    """Makes outputs obey a differential equation at the points of a batch.

    Formula: `fn(...)^2`, where fn returns what the equation says is 0.

    The names of the function's arguments say what they are: `u` and `x` what `keys_of` names, `u_t` the derivative of
    `u` by `t`, `u_xx` the second one by `x`. Names of more than one letter stand apart: `u_time`, `u_time_time`. A name
    that can be read in two ways is refused. It is the residual of physics-informed networks (Raissi, Perdikaris and
    Karniadakis, 2019); where the residual is 0 its gradient is 0. Activations without a second derivative, such as
    ReLU, cannot obey an equation of second order.

    Attributes:
      fn: returns the residual `[batch, ...]`, given tensors in the shapes that `objectives.derivatives` tells.
      keys_of: the keys of the functions that the equation is about, of what they depend on, and of what else is read.

    Raises:
      ConfigurationError: an argument is neither a name of `keys_of` nor made of such, or in more than one way.

    >>> def heat(u_t, u_xx):
    ...     return u_t - 0.1 * u_xx
    >>> term = PdeResidual(fn=heat, keys_of={"u": "outputs", "x": "inputs.x", "t": "inputs.t"})
    >>> term.reads
    {'u_t': 'gradients.outputs/inputs.t', 'u_xx': 'gradients.outputs/inputs.x/inputs.x'}
    >>> float(term(u_t=[[3.0]], u_xx=[[10.0]]))
    4.0
    """

    fn: Annotated[Callable[..., tf.Tensor], Expected(_FUNCTION)]
    keys_of: Mapping[str, Key]

    @property
    def reads(self) -> Mapping[str, Key]:
        parameters = inspect.signature(self.fn).parameters
        return {name: self._key(name) for name, p in parameters.items() if p.default is p.empty or name in self.keys_of}

    def values(self, **tensors):
        return tf.square(self.fn(**tensors))

    def _key(self, argument: str) -> Key:
        """Returns the key of what an argument of the function is."""
        if argument in self.keys_of:
            return self.keys_of[argument]
        readings = [*self._readings(argument)]
        if len(readings) > 1:
            ways = ", or as ".join(f"that of {of} by {' and '.join(by)}" for of, by in readings)
            raise ConfigurationError(
                f"PdeResidual: the argument {argument!r} of the function can be read as a derivative, {ways}; give "
                f"{_longest(readings)!r} another name in keys_of, which is not made of other names"
            )
        for of, by in readings:
            return Derivative(self.keys_of[of], tuple(self.keys_of[name] for name in by)).key
        raise ConfigurationError(
            f"PdeResidual: nothing says what the argument {argument!r} of the function is; "
            f"{expected(argument, self.keys_of)}, or a derivative of one by others, such as 'u_xx' or 'u_time_time'"
        )

    def _readings(self, argument: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yields each way to read an argument as a derivative: of what, by what."""
        for end in (i for i, letter in enumerate(argument) if letter == "_"):
            if argument[:end] in self.keys_of:
                for ways in itertools.product(*map(self._names, argument[end + 1 :].split("_"))):
                    yield argument[:end], tuple(name for way in ways for name in way)

    def _names(self, word: str) -> list[tuple[str, ...]]:
        """Returns the ways to read a word: as a name, or as names of one letter each."""
        ways = dict.fromkeys([(word,), (*word,)])
        return [way for way in ways if way and {*way} <= {*self.keys_of}]


def _longest(readings: list[tuple[str, tuple[str, ...]]]) -> str:
    """Returns the name that is made of others, which is why an argument has several readings."""
    return max((name for of, by in readings for name in (of, *by)), key=len)
