"""Tracebacks: a mistake of the user's is raised without the frames of the trace in which it was found."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import keras

from objectives import ConfigurationError

_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")


def without_frames(method: Callable[_Given, _Returned]) -> Callable[_Given, _Returned]:
    """Makes a method raise a ConfigurationError as if it had found the mistake itself, as its message says all.

    Where a step is traced, dozens of frames of TensorFlow are between the call and the mistake. An error of the user's
    own code, which caused it, keeps its frames. `keras.config.disable_traceback_filtering()` keeps all of them.
    """

    @functools.wraps(method)
    def called(*args: _Given.args, **kwargs: _Given.kwargs) -> _Returned:
        try:
            return method(*args, **kwargs)
        except ConfigurationError as error:
            if not keras.config.is_traceback_filtering_enabled():
                raise
            found = error
        cause = found.__cause__
        while isinstance(cause, ConfigurationError):
            cause.__traceback__, cause = None, cause.__cause__
        raise found.with_traceback(None)

    return called
