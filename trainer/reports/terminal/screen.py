"""Screen: standard output, which may disappear while a run trains."""

import contextlib
import errno
import os
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, TextIO

from rich.console import Console

# Lines that are redrawn would fill the log of a machine that gives its jobs a terminal which nobody watches, and the
# output of a cell that calls a command by `!`: Jupyter gives it a terminal, and shows each drawing below the last one.
_CELL = "JPY_PARENT_PID"
_UNWATCHED = ("CI", _CELL)
# That terminal has 80 columns, whatever a notebook shows; with so many, the table of terms keeps all of its own.
_COLUMNS_OF_A_CELL = 120


class Screen(Console):
    """Standard output that may disappear: when nobody reads it any more, nothing is printed, and the program continues.

    The console of rich ends the process instead, and what it was about to save would be lost.
    """

    def __init__(self, **settings: Any):
        is_watched = sys.stdout.isatty() and not any(map(os.environ.get, _UNWATCHED))
        if os.environ.get(_CELL):
            settings = {"width": _COLUMNS_OF_A_CELL} | settings
        super().__init__(soft_wrap=True, force_interactive=None if is_watched else False, **settings)

    def print(self, *objects: Any, **settings: Any) -> None:
        try:
            super().print(*objects, **settings)
        except OSError as error:  # a terminal has hung up, and the program ignores the signal that says so
            if error.errno != errno.EIO:
                raise
            self._continue_unseen()

    def on_broken_pipe(self) -> None:
        print("standard output is closed; nothing more is shown there", file=sys.stderr, flush=True)
        self._continue_unseen()

    def _continue_unseen(self) -> None:
        self.quiet = True
        # Python would fail on exit, when it flushes the closed stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_by_words(console: Console, text: str, *, style: str | None = None) -> None:
    """Prints a text, on a terminal in lines that end between words; a longer word, such as a path, stays in one piece.

    >>> print_by_words(Console(width=12, force_terminal=True), "saved in runs/a/long/path as always")
    saved in
    runs/a/long/path
    as always
    """
    shown = _by_words(text, console.width) if console.is_terminal else text
    console.print(shown, style=style, highlight=False, markup=False, soft_wrap=True)


def fitted(text: str, stream: TextIO) -> str:
    """Returns a text as it is printed to a stream: to a terminal in such lines, to anything else as it is."""
    width = os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    return _by_words(text, width) if width else text


def _by_words(text: str, width: int) -> str:
    """Returns lines that end between words; what continues an indented one is indented, too."""
    return "\n".join(
        textwrap.fill(
            line,
            width,
            subsequent_indent=line[: len(line) - len(line.lstrip())],
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.splitlines()
    )


@contextlib.contextmanager
def while_it_lasts() -> Iterator[None]:
    """Ignores that a terminal has hung up: the run is not to fail for that, as it gets a signal."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise
