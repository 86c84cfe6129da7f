"""Failures: reports operations of a user's own code that fail while a step runs, with their place and message."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from objectives import ConfigurationError
from objectives.blame import told_of_operation
from trainer.devices import cluster

# What assertions, shapes and Python functions raise. Exhausted memory, a lost worker and other errors of TensorFlow
# itself are not reported as mistakes of the user.
_OF_USERS = (
    tf.errors.InvalidArgumentError,
    tf.errors.UnknownError,
    tf.errors.FailedPreconditionError,
    tf.errors.NotFoundError,
    tf.errors.OutOfRangeError,
    tf.errors.PermissionDeniedError,
)


def is_failure(error: tf.errors.OpError) -> bool:
    """Returns whether an operation failed by itself, in the only worker: several could not agree where to stop."""
    return isinstance(error, _OF_USERS) and not cluster.is_joined()


@contextlib.contextmanager
def failures_told(where: str) -> Iterator[None]:
    """Turns an operation's failure inside into a ConfigurationError; `where`, such as "the update of step 7 fails"."""
    try:
        yield
    except tf.errors.OpError as error:
        if not is_failure(error):
            raise
        raise ConfigurationError(f"{where}: {told_of_operation(error)}") from error


def updates_before_failure(again: Callable[[int], Any], steps: int) -> int:
    """Returns how many of `steps` updates come before the first that fails, by bisection.

    Args:
      again: does so many updates from the same state on.
      steps: how many fail.
    """
    good, bad = 0, steps
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            again(middle)
            good = middle
        except tf.errors.OpError as error:
            if not is_failure(error):
                raise
            bad = middle
    return good
