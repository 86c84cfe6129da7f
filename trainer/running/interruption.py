"""Interruption: SIGINT, SIGTERM and SIGHUP are noted while a run trains, so that it ends with everything saved."""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

from trainer.reports.terminal.screen import fitted

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Seconds: a signal to a whole group of processes may reach one of them twice, and counts once.
_SAME = 0.2
_NOTED = "finishing the current steps, then saving a checkpoint; a second signal ends the process at once"


class Interrupted(SystemExit, KeyboardInterrupt):
    """Training was ended by a signal; everything is saved.

    A program that does not catch it ends with the exit status `code` and without a traceback. As it is a
    KeyboardInterrupt too, a notebook treats it like Ctrl-C.

    Attributes:
      signal: the signal.
      code: the exit status that belongs to it, 128 + its number.

    >>> interrupted = Interrupted(signal.SIGTERM, "saved at step 20")
    >>> interrupted.code, str(interrupted)
    (143, 'SIGTERM: saved at step 20')
    """

    def __init__(self, number: int, where: str):
        super().__init__(128 + number)
        self.signal, self._where = signal.Signals(number), where

    def __str__(self) -> str:
        return f"{self.signal.name}: {self._where}"


class Interruption:
    """Notes the first signal, so that training can end; a second one ends the process at once.

    Attributes:
      noted: the number of the signal that this process received, or 0.
      agreed: the number of the signal that all workers know of, or 0; the loop sets it.
    """

    def __init__(self) -> None:
        self.noted = self.agreed = 0
        self._since, self._calls = 0.0, 0

    @contextlib.contextmanager
    def noting(self, where: Callable[[], str]) -> Iterator[None]:
        """Notes signals within the context; at its end, raises an exception for one, unless the body raised another.

        Args:
          where: returns a description of where the run stopped; called at the end.

        Raises:
          Interrupted: A signal was noted by this process or by another worker.
        """
        with listening(self._note, on_main_thread=self._insist):
            yield
        if number := self.agreed or self.noted:
            raise Interrupted(number, where())

    def _note(self, number: int) -> None:
        now = time.monotonic()
        if not self.noted:
            self.noted, self._since = number, now
            name = signal.Signals(number).name
            with contextlib.suppress(OSError):  # a terminal that has hung up cannot be written to
                print(fitted(f"{name}: {_NOTED}", sys.stderr), file=sys.stderr, flush=True)
        elif now - self._since > _SAME and not _is_interactive():
            os._exit(128 + number)

    def _insist(self, number: int, frame: object) -> None:
        """A second Ctrl-C must not end a notebook: it ends what runs there, as soon as Python hears of it."""
        self._calls += 1
        if self._calls > 1 and _is_interactive():
            raise KeyboardInterrupt


@contextlib.contextmanager
def listening(hear: Callable[[int], None], *, on_main_thread: Callable[[int, object], None]) -> Iterator[None]:
    """Has `SIGNALS` call two functions within the context, and nothing else; restores their handlers afterwards.

    Signals that are ignored stay so, as under `nohup`. On other threads than the main one, this does nothing.

    Args:
      hear: called at once on a thread of its own, as TensorFlow may compile or evaluate for minutes.
      on_main_thread: called where Python handles signals, between two of its instructions.

    >>> heard = threading.Event()
    >>> with listening(lambda number: heard.set(), on_main_thread=lambda number, frame: None):
    ...     os.kill(os.getpid(), signal.SIGTERM)
    ...     heard.wait(10)
    True
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ear, mouth = os.pipe()
    os.set_blocking(mouth, False)
    thread = threading.Thread(target=_listen, args=[ear, hear], name="signals", daemon=True)
    thread.start()
    former_mouth = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    former = {number: handler for number in SIGNALS if (handler := _replaceable(number)) is not None}
    for number in former:
        signal.signal(number, on_main_thread)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(former_mouth)
        os.close(mouth)
        thread.join()  # all signals until now are handled then


def _replaceable(number: int) -> Callable | int | None:
    """Returns the handler of a signal if it may be replaced: not one that ignores it, nor that of another library."""
    handler = signal.getsignal(number)
    return None if handler is signal.SIG_IGN else handler


def _listen(ear: int, hear: Callable[[int], None]) -> None:
    with open(ear, "rb", buffering=0) as stream:
        while heard := stream.read(1):
            if heard[0] in SIGNALS:
                hear(heard[0])


def _is_interactive() -> bool:
    return hasattr(sys, "ps1")
