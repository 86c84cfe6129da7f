"""Building: makes what gin configures, and reports where values that do not work were set."""

import contextlib
import copy
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import gin
import keras

from objectives import ConfigurationError
from objectives.blame import place_of, told
from trainer.config.explanations import explain
from trainer.config.places import place_of_binding, place_of_mention
from trainer.config.uses import require_used

T = TypeVar("T")


def build(configurable: Callable[..., T], **arguments: Any) -> T:
    """Builds something that gin configures, and makes sure that all bindings had an effect.

    Args:
      configurable: the class or function.
      **arguments: values that take precedence over gin's; flags must not bind them.

    Raises:
      ConfigurationError: A value is missing, a binding is used by nothing, or the constructor raises the error itself.
    """
    with _answered():
        built = configurable(**arguments)
    require_used({f"{configurable.__name__}.{name}" for name in arguments})
    return built


@contextlib.contextmanager
def placed() -> Iterator[None]:
    """Adds to a ConfigurationError of its body where the parameters that it is about were bound."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(*map(_placed, error.messages)) from error


def bound(parameter: str, default: Any) -> Any:
    """Returns the value that gin binds to a parameter such as `Trainer.strategy`, with macros resolved."""
    try:
        value = gin.query_parameter(parameter)
    except ValueError:
        return default
    is_macro = isinstance(value, gin.config.ConfigurableReference) and value.selector.endswith("macro")
    return copy.deepcopy(value) if is_macro else value


def seed_generators() -> None:
    """Seeds the generators of Python, NumPy and TensorFlow with `Trainer.seed`, before gin builds what draws of them.

    A seed that is none is left to the trainer, which refuses it.
    """
    seed = bound("Trainer.seed", 0)
    if isinstance(seed, int) and 0 <= seed < 2**32:
        keras.utils.set_random_seed(seed)


def made(parameter: str) -> Any:
    """Returns the value that gin binds to a parameter such as `Trainer.task`, with what it refers to built; or None.

    Raises:
      ConfigurationError: A value is missing, or a constructor raises the error itself.
    """
    with _answered():
        return copy.deepcopy(bound(parameter, None))  # which gin overrides to build what a value refers to


@contextlib.contextmanager
def _answered() -> Iterator[None]:
    """Turns errors of gin, Keras and the user's own code into a ConfigurationError with the place of the value."""
    try:
        with placed():
            yield
    except ConfigurationError:
        raise
    except Exception as error:
        if (answer := _answer(error)) is None:
            raise
        raise ConfigurationError(_placed(answer)) from error


def _placed(message: str) -> str:
    """Puts the place where a parameter was bound before a message about it, such as 'RangeHinge.weight is ...'."""
    bound, of_class = re.match(r"(\w+)\.(\w+)\b", message), re.match(r"(\w+)(?:: | needs a value)", message)
    place = place_of_binding(bound[1], bound[2]) if bound else None
    if place is None and of_class:
        place = place_of_mention(of_class[1], message)
    return f"{place}: {message}" if place else message


def _answer(error: Exception) -> str | None:
    """Returns the message for an error of gin, of Keras or of the user's own code; None for one of this project."""
    if answer := explain(error) if isinstance(error, (TypeError, ValueError)) else None:
        return answer
    called = re.search(r"In call to configurable '(\w+)' \(<(?:class '(\w+))?", str(error))
    if called and (called[2] == "keras" or place_of(error)):
        return f"{called[1]}: {told(error)}"
    return told(error) if place_of(error) else None
