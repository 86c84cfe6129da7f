"""Signals: a signal ends a script with status 128 + its number, and names the command that resumes.

Call `leave_on_signals` before anything that takes time. While a run trains it listens itself, and saves first.
"""

import contextlib
import ctypes
import os
import shlex
import signal
import sys
from typing import NoReturn

# Who starts a script as a part of something larger says here what a person would type instead.
COMMAND_VARIABLE = "TERMWISE_COMMAND"

# The process id of a launcher.
LAUNCHER_VARIABLE = "TERMWISE_LAUNCHER"
_PR_SET_PDEATHSIG = 1

# As `trainer.running.interruption` has them, which a script cannot import before it listens.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Kept: what libraries say to the error stream while they load is held back.
_ERRORS = os.dup(2)


def leave_on_signals() -> None:
    """From here on these signals end the process in good order, unless they are ignored, as under nohup."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def die_with_launcher() -> None:
    """From here on this process is killed as soon as the one is gone that started it as one of several workers.

    A launcher that is killed itself cannot end its workers. Only Linux can do so; elsewhere they keep running.
    """
    launcher = os.environ.get(LAUNCHER_VARIABLE)
    if launcher and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(launcher):  # it was gone before
            os.kill(os.getpid(), signal.SIGKILL)


def command() -> str:
    """The command that started this script, as one would type it again."""
    return os.environ.get(COMMAND_VARIABLE) or shlex.join(sys.orig_argv)


def leave(number: int, _: object = None) -> NoReturn:
    """Ends the process at once, and says how to resume."""
    # What was interrupted may be in the middle of a print itself; a terminal that hangs up takes no more words.
    with contextlib.suppress(RuntimeError, OSError):
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        os.write(_ERRORS, f"{signal.Signals(number).name}: resume with: {command()}\n".encode())
    os._exit(128 + number)
