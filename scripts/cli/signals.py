"""Signals: a signal ends a script with status 128 + its number, and names the command that resumes.

Call `leave_on_signals` before anything that takes time. While a run trains, it handles signals itself and saves first.
"""

import contextlib
import ctypes
import multiprocessing
import os
import shlex
import signal
import sys
from typing import NoReturn

# A program that starts a script sets this to the command that a user would type.
COMMAND_VARIABLE = "TERMWISE_COMMAND"

# The process id of a launcher.
LAUNCHER_VARIABLE = "TERMWISE_LAUNCHER"
_PR_SET_PDEATHSIG = 1

# The same as in `trainer.running.interruption`, which takes too long to import before signals are handled.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# A copy, because the error stream is redirected while libraries load.
_ERRORS = os.dup(2)


def leave_on_signals() -> None:
    """Makes these signals end the process in good order from now on, unless they are ignored, as under nohup.

    A process of a pool, which loads the script too, is left as it is: whoever started it ends it, without a word.
    """
    if multiprocessing.parent_process() is not None:
        return
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def end_with_reader() -> None:
    """Makes SIGPIPE end the process as soon as nobody reads what it prints, as with other programs.

    Python ignores that signal, and raises an exception instead. A command that still has something to save does without
    this, and continues.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def die_with_launcher() -> None:
    """Has the system kill this worker as soon as the launcher that started it is gone.

    A launcher that is killed cannot end its workers itself. Only Linux offers this; elsewhere workers keep running.
    """
    launcher = os.environ.get(LAUNCHER_VARIABLE)
    if launcher and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(launcher):  # the launcher was gone before
            os.kill(os.getpid(), signal.SIGKILL)


def command() -> str:
    """Returns the command that started this script, as one would type it again."""
    return os.environ.get(COMMAND_VARIABLE) or shlex.join(sys.orig_argv)


def leave(number: int, _: object = None) -> NoReturn:
    """Ends the process at once, and prints how to resume."""
    # The signal may interrupt a print; a terminal that has hung up cannot be written to.
    with contextlib.suppress(RuntimeError, OSError):
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        os.write(_ERRORS, f"{signal.Signals(number).name}: resume with: {command()}\n".encode())
    _remove_rewritten()
    os._exit(128 + number)


def _remove_rewritten() -> None:
    """Removes the files of code that TensorFlow rewrote, such as a `map` of a dataset.

    It does so itself only where Python ends in its own time.
    """
    for name, module in sys.modules.copy().items():
        if name.startswith("__autograph_generated_file") and module.__file__:
            with contextlib.suppress(FileNotFoundError):
                os.remove(module.__file__)
