"""States: objects of Python and NumPy whose state is a plain value, such as random numbers, and what has a name."""

import dataclasses
import itertools
import random
from collections.abc import Callable
from typing import Any

import keras
import numpy as np


@dataclasses.dataclass(frozen=True)
class _State:
    """How the state of a kind of object is taken, and given to the object that is there or to a new one."""

    kind: type
    take: Callable[[Any], Any]
    make: Callable[[Any], Any]
    give: Callable[[Any, Any], None] | None = None


def _count(state: tuple[Any, ...]) -> Any:
    return itertools.count(*state)


def _filled(make: Callable[[], Any], give: Callable[[Any, Any], None]) -> Callable[[Any], Any]:
    def made(state: Any) -> Any:
        give(value := make(), state)
        return value

    return made


def _give_bits(value: np.random.Generator, state: Any) -> None:
    value.bit_generator.state = state


def _generator(state: Any) -> np.random.Generator:
    kinds = {
        one.__name__: one
        for one in (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64)
    }
    value = np.random.Generator(kinds[state["bit_generator"]](0))
    _give_bits(value, state)
    return value


def _give_bytes(value: bytearray, state: np.ndarray) -> None:
    value[:] = state.tobytes()


_STATES = {
    "Random": _State(
        random.Random, random.Random.getstate, _filled(random.Random, random.Random.setstate), random.Random.setstate
    ),
    "Generator": _State(np.random.Generator, lambda value: value.bit_generator.state, _generator, _give_bits),
    "RandomState": _State(
        np.random.RandomState,
        lambda value: value.get_state(),
        _filled(np.random.RandomState, lambda value, state: value.set_state(state)),
        lambda value, state: value.set_state(state),
    ),
    "count": _State(itertools.count, lambda value: value.__reduce__()[1], _count),
    "bytearray": _State(
        bytearray, lambda value: np.frombuffer(bytes(value), np.uint8), _filled(bytearray, _give_bytes), _give_bytes
    ),
}


# Classes and functions that a checkpoint names; any others could be made to do harm by who has written it.
_NAMED = {
    f"{one.__module__}.{one.__name__}": one
    for one in (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)
} | {f"keras.ops.{name}": one for name, one in vars(keras.ops).items() if callable(one)}
_NAMED |= {f"numpy.{name}": one for name, one in vars(np).items() if isinstance(one, np.ufunc)}
_NAMES = {id(one): name for name, one in _NAMED.items()}


def name_of(value: Any) -> str | None:
    """Returns the name of a built-in class, an operation of Keras or a ufunc of NumPy; None of anything else.

    >>> name_of(list), name_of(np.less), name_of(print)
    ('builtins.list', 'numpy.less', None)
    """
    return _NAMES.get(id(value))


def named(name: str) -> Any:
    """Returns what has a name."""
    return _NAMED[name]


def state_of(value: Any) -> tuple[str, Any] | None:
    """Returns the kind of an object and its state; None if it is of no kind that has one.

    >>> state_of(itertools.count(3))
    ('count', (3,))
    """
    name = type(value).__name__
    found = _STATES.get(name)
    return (name, found.take(value)) if found and type(value) is found.kind else None


def with_state(name: str, state: Any, current: Any) -> Any:
    """Returns an object of a kind that has a state: the current one where it is of that kind and can take it."""
    found = _STATES[name]
    if found.give is None or type(current) is not found.kind:
        return found.make(state)
    found.give(current, state)
    return current
