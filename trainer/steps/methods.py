"""Methods: calls the methods of a balancer, and holds what they return against what was asked of them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import tensorflow as tf

from objectives import ConfigurationError
from objectives.balancing import GramWeighting, State, Weighting
from objectives.blame import blamed
from objectives.errors import Mistakes
from trainer.steps.own_variables import first_tensor
from trainer.steps.returned import described, forgot


def first_factors(balancer: Weighting, names: Sequence[str]) -> tf.Tensor:
    """Returns the factors before the first update, float32 `[terms]`.

    Raises:
      ConfigurationError: the method fails, or returns something else.
    """
    where = f"{type(balancer).__name__}.first_factors"
    with blamed(where):
        returned = balancer.first_factors(names)
    return _factors(where, returned, len(names))


def first_state(balancer: Weighting, names: Sequence[str]) -> dict[str, tf.Tensor]:
    """Returns the state before the first update, by name.

    Raises:
      ConfigurationError: the method fails, or returns something else than numbers and arrays by name.
    """
    where = f"{type(balancer).__name__}.first_state"
    with blamed(where):
        returned = balancer.first_state(names)
    if not _is_named(returned):
        raise ConfigurationError(
            f"{where} returned {described(returned)}; expected a dict of numbers and arrays by name{forgot(returned)}"
        )
    return {name: first_tensor(where, name, value) for name, value in returned.items()}


def weigh(balancer: Any, known: Any, state: State, terms: int) -> tuple[tf.Tensor, State]:
    """Has a balancer find the factors, float32 `[terms]`, and its state after the update.

    Args:
      balancer: a `ValueWeighting` or a `GradientWeighting`.
      known: what it is given, `Values` or `TermGradients`.
      state: after the update before.
      terms: how many terms it balances.

    Raises:
      ConfigurationError: the method fails, or returns factors that are not one number a term, or another state than
        the one that it was given; the message names all that is wrong of the state.
    """
    kind = type(balancer)
    # Whose own `weigh` would convert what `weights` returns, before it can be said what it is.
    is_of_gram = kind.weigh is GramWeighting.weigh
    where = f"{kind.__name__}.{'weights' if is_of_gram else 'weigh'}"
    with blamed(where):
        returned = (balancer.weights(known.gram), state) if is_of_gram else balancer.weigh(known, state)
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise ConfigurationError(
            f"{where} returned {described(returned)}; expected two things, the factors and the new state (which is "
            f"the one that it was given, where nothing is kept){forgot(returned)}"
        )
    factors, after = returned
    return _factors(where, factors, terms), _state(where, after, state)


def told_tags(balancer: Weighting, names: Sequence[str], *, taken: Collection[str]) -> list[str]:
    """Returns the tags of the numbers of the state that log records have.

    Args:
      balancer: the method.
      names: of the terms.
      taken: the tags of all other numbers of a step.

    Raises:
      ConfigurationError: the method fails, or returns something else than numbers by tags that are its own.
    """
    tags = [*_told(balancer, names, first_state(balancer, names))]
    if both := [tag for tag in tags if tag in taken]:
        raise ConfigurationError(
            f"{type(balancer).__name__}.told has {both[0]!r}, which a step tells itself; expected another tag"
        )
    return tags


def told(balancer: Weighting, names: Sequence[str], state: State) -> list[tf.Tensor]:
    """Returns these numbers after an update, float32 scalars in the order of their tags.

    Raises:
      ConfigurationError: the method fails, or returns something else.
    """
    return [*_told(balancer, names, state).values()]


def _told(balancer: Weighting, names: Sequence[str], state: State) -> dict[str, tf.Tensor]:
    where = f"{type(balancer).__name__}.told"
    with blamed(where):
        returned = balancer.told(names, state)
    if not _is_named(returned):
        raise ConfigurationError(
            f"{where} returned {described(returned)}; expected a dict of scalars by tag{forgot(returned)}"
        )
    return {tag: _numbers(f"{where} has {tag!r}:", one, [], "a number") for tag, one in returned.items()}


def _factors(where: str, returned: Any, terms: int) -> tf.Tensor:
    return _numbers(f"{where} returned", returned, [terms], f"one factor for each of {terms} terms")


def _numbers(where: str, returned: Any, shape: Sequence[int], what: str) -> tf.Tensor:
    """Returns something as a float32 tensor of a shape.

    Raises:
      ConfigurationError: it is none; numbers of another type are taken.
    """
    try:
        tensor = tf.convert_to_tensor(returned)
    except (ValueError, TypeError):
        tensor = None
    is_number = tensor is not None and (tensor.dtype.is_floating or tensor.dtype.is_integer)
    if not is_number or not tensor.shape.is_compatible_with(shape):
        found = described(returned if tensor is None else tensor)
        raise ConfigurationError(f"{where} {found}; expected {what}, of shape {tuple(shape)}{forgot(returned)}")
    return tf.cast(tensor, tf.float32)


def _state(where: str, returned: Any, before: State) -> dict[str, tf.Tensor]:
    """Returns a state that has the names, shapes and types of the one before the update.

    Raises:
      ConfigurationError: it is another.
    """
    names = ", ".join(map(repr, before)) or "no names"
    if not _is_named(returned) or returned.keys() != before.keys():
        found = ", ".join(map(repr, returned)) if _is_named(returned) and returned else described(returned)
        raise ConfigurationError(
            f"{where} returned the state {found}; expected a dict with {names}, as first_state has it"
        )
    mistakes, state = Mistakes(), {}
    for name, tensor in before.items():
        with mistakes.gathered(where):
            state[name] = _like(name, returned[name], tensor)
    mistakes.raise_any()
    return state


def _like(name: str, returned: Any, before: tf.Tensor) -> tf.Tensor:
    try:
        tensor = tf.convert_to_tensor(returned, dtype_hint=before.dtype)
    except (ValueError, TypeError):
        tensor = None
    fits = tensor is not None and tensor.dtype == before.dtype and tensor.shape.is_compatible_with(before.shape)
    if not fits:
        raise ConfigurationError(
            f"the state {name!r} is {described(returned if tensor is None else tensor)}; expected "
            f"{described(before)}, as first_state has it"
        )
    return tensor


def _is_named(returned: Any) -> bool:
    return isinstance(returned, Mapping) and all(isinstance(name, str) for name in returned)
