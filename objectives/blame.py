"""Blame: reports errors of a user's own code with its owner, file and line, and message."""

import contextlib
import itertools
import os
import pathlib
import re
import traceback
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf
from tensorflow.python.util import tf_stack

from objectives.errors import ConfigurationError
from objectives.libraries import is_of_library

# Folders of code that runs a user's code and is not where the mistake is; tasks/ may be.
_ROOT = pathlib.Path(__file__).parents[1]
_OURS = tuple(str(_ROOT / name) + os.sep for name in ("objectives", "trainer", "scripts", "termwise"))

# What TensorFlow adds around the text of an error.
_AROUND = re.compile(
    r"\{\{.*?\}\} ?|\x1b\[\d*m|\s*\[Op:\w+\]( name:)?|"
    r"Error in user-defined function passed to \S+ transformation with iterator: \S+: "
)
# Lines of a graph's error that say where it happened, not what.
_ABOUT_PLACES = re.compile(r"Detected at node|<stack traces unavailable|\[\[|.*root error\(s\) found")

_LONGEST = 300


@contextlib.contextmanager
def blamed(whose: str = "") -> Iterator[None]:
    """Turns errors that a user's code raises in the body into a ConfigurationError that says whose code it is.

    >>> with blamed("term 'smooth'"):
    ...     raise ValueError("no neighbours")
    Traceback (most recent call last):
        ...
    objectives.errors.ConfigurationError: term 'smooth': ValueError: no neighbours
    """
    try:
        yield
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(f"{whose}: {told(error)}" if whose else told(error)) from error


def told(error: BaseException) -> str:
    """Describes an error in one line: the user's file and line if it passed there, its kind and its message."""
    place = place_of(error)
    words = f"{type(error).__name__}: {_words(error)}".removesuffix(": ")
    return f"{place}: {words}" if place else words


def told_of_operation(error: BaseException) -> str:
    """Describes the failure of a graph operation in one line: the user's file and line that made it, the message."""
    made = re.findall(r'File "([^"]+)", line (\d+), in ', str(error).partition("\nTraceback (most")[0])
    # As TensorFlow lists them, from the outermost in; of ours those at the end stand between the user and TensorFlow.
    frames = itertools.dropwhile(lambda frame: _is_ours(frame[0]), reversed(made))
    called = itertools.takewhile(lambda frame: not _is_ours(frame[0]), frames)
    own = next((f"{shown_path(name)}, line {line}: " for name, line in called if _is_users(name)), "")
    return f"{own}{type(error).__name__}: {_words(error)}"


def place_of(error: BaseException) -> str | None:
    """Returns the innermost file and line of the user's own code that an error came through; None if there is none.

    TensorFlow runs some functions elsewhere and quotes their positions in the message.
    """
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    quoted = [(name, int(line)) for name, line in re.findall(r'File "([^"]+)", line (\d+)', str(error))]
    # Of where an operation was made, what comes before code of ours is the call of it, such as of `train`.
    first = next((i for i, (name, _) in enumerate(quoted) if _is_ours(name)), 0)
    places += quoted[first:]
    if isinstance(error, SyntaxError):
        places.append((error.filename or "", error.lineno))
    return _innermost(places)


def place_in(frames: Iterable[traceback.FrameSummary]) -> str | None:
    """Returns the innermost file and line of the user's own code among calls, outermost first, or None."""
    return _innermost([(frame.filename, frame.lineno) for frame in frames])


def _innermost(places: Iterable[tuple[str, int | None]]) -> str | None:
    own = [f"{shown_path(name)}, line {line}" for name, line in places if _is_users(name)]
    return own[-1] if own else None


def place_here() -> str | None:
    """Returns the file and line of the user's own code that is running in this thread, called by ours, or None.

    If autograph has rewritten the code, TensorFlow knows the line in the user's file.
    """
    called = itertools.takewhile(lambda frame: not _is_ours(frame.filename), _frames())
    own = (frame for frame in called if _is_users(frame.filename))
    return _place(next(own, None))


def place_of_caller(through: re.Pattern[str]) -> str | None:
    """Returns the file and line of the user's own code that called what is running, directly or through some files."""
    frame = next(itertools.dropwhile(lambda frame: bool(through.search(frame.filename)), _frames()), None)
    return _place(frame) if frame is not None and _is_users(frame.filename) else None


def _frames() -> Iterator[Any]:
    """Returns the frames of this thread, innermost first, without our own that ask."""
    return itertools.dropwhile(lambda frame: _is_ours(frame.filename), reversed(tf_stack.extract_stack()))


def _place(frame: Any) -> str | None:
    return None if frame is None else f"{shown_path(frame.filename)}, line {frame.lineno}"


def _is_ours(name: str) -> bool:
    return name.startswith(_OURS)


def shown_path(name: str | pathlib.Path) -> str:
    """Returns a file's name as a reader would type it: relative to the working directory where it lies below."""
    path = pathlib.Path(name).absolute()
    here = pathlib.Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _is_users(name: str) -> bool:
    generated = (name.startswith("<") and not name.startswith("<ipython")) or "__autograph_generated" in name
    is_found = bool(name) and not generated and not _is_compiled_elsewhere(name)
    return is_found and not _is_ours(name) and not is_of_library(name)


def _is_compiled_elsewhere(name: str) -> bool:
    """Returns whether a file is named from the folder in which a package was compiled, as Cython names its own."""
    return not os.path.isabs(name) and not os.path.exists(name)


def _words(error: BaseException) -> str:
    """Returns what an error says, without the stack and the advice that TensorFlow adds."""
    if isinstance(error, tf.errors.OperatorNotAllowedInGraphError):
        return "Python cannot branch on a tensor, nor loop over one, while the step is traced; use tf.where or tf.cond"
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    text = _AROUND.sub("", said).strip()
    if "numpy" in text and ("attribute" in text or "symbolic" in text):
        return "a tensor has no value yet while the step is traced; use operations of TensorFlow only"
    if "`merge_call` called while defining" in text:
        return (
            "a variable with an aggregation is assigned inside of a loop or an inner function, such as "
            "accumulate_steps makes, where replicas cannot be synchronised; expected aggregation='none'"
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    said = lines[-1].split(": ", 1)[-1] if lines[0].startswith("in user code") else lines[0]
    if lines[0].startswith("Graph execution error"):  # after the stack of the operation
        last = max((i for i, line in enumerate(lines) if line.startswith('File "')), default=0)
        behind = [line for line in lines[last + 1 :] if not _ABOUT_PLACES.match(line)]
        raised = (line for line in lines if re.match(r"[\w.]*(Error|Exception): ", line))
        said = re.sub(r"^\(\d+\) [A-Z_]+: +", "", next(raised, behind[0] if behind else lines[-1]))
    if len(lines) > 1 and (said.endswith(":") or said.startswith("Exception encountered when calling")):
        said = f"{said} {lines[1]}"
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]} ..."
