"""Screen: standard output, which may disappear while a run goes on."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console

# Lines that are redrawn would fill the log of a machine that gives its jobs a terminal which nobody watches.
_UNWATCHED = "CI"


class Screen(Console):
    """Standard output that may disappear: when nobody reads it any more, nothing is printed, and the program continues.

    The console of rich ends the process instead, and what it was about to save would be lost.
    """

    def __init__(self, **settings: Any):
        is_watched = sys.stdout.isatty() and not os.environ.get(_UNWATCHED)
        super().__init__(soft_wrap=True, force_interactive=None if is_watched else False, **settings)

    def on_broken_pipe(self) -> None:
        self.quiet = True
        print("standard output is closed; nothing more is shown there", file=sys.stderr, flush=True)
        # Python would fail on exit, when it flushes the closed stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def while_it_lasts() -> Iterator[None]:
    """Ignores that a terminal has hung up: the run is not to fail for that, as it gets a signal."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise
