"""Repeatedly: calls a function again and again while something else is under way."""

import contextvars
import threading
from collections.abc import Callable

# Seconds between two calls.
_PERIOD = 0.2


class Repeatedly:
    """Calls a function every fifth of a second, on a thread of its own.

    The thread has the context of the one that makes this, by which a notebook knows the cell that something is from.
    """

    def __init__(self, call: Callable[[], None]):
        self._call = call
        self._ended = threading.Event()
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=[self._work], name="terminal", daemon=True)

    def start(self) -> None:
        """Begins to call the function."""
        self._thread.start()

    def stop(self) -> None:
        """Ends that; the function is not called any more when this returns."""
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended.wait(_PERIOD):
            self._call()
