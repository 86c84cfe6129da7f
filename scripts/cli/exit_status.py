"""Exit statuses of the commands, and how a command that was called wrongly ends. It imports nothing heavy."""

import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from absl import app, flags

from termwise.cli import help, signals

# Python also ends with 1 after an unexpected error.
STATUS_FAILED = 1
STATUS_MISTAKE = 2
STATUS_NOT_FINITE = 3


def end_with(message: str, status: int = STATUS_MISTAKE) -> NoReturn:
    """Ends the process with a message."""
    print(message, file=sys.stderr)
    sys.exit(status)


def run(main: Callable[[list[str]], None], *, arguments: str = "", hint: str = "") -> None:
    """Runs a script's main with the arguments after its flags; wrong flags end it with one line and status 2.

    Where help is asked for, it is printed instead.

    Args:
      main: the script.
      arguments: what they are, in words; empty where there are none.
      hint: is added to what is wrong with the flags.
    """

    def parse(argv: Sequence[str]) -> list[str]:
        if help.is_asked(argv[1:]):
            signals.end_with_reader()
            print(help.of_command(arguments))
            sys.exit(0)
        try:
            return flags.FLAGS(argv)
        except flags.Error as error:
            end_with(f"{error}{hint}")

    app.run(lambda argv: main(argv[1:]), flags_parser=parse)


def refuse_arguments(given: Sequence[str]) -> None:
    """Ends a script that takes only flags if it was given anything else."""
    if given:
        end_with(f"unexpected argument {given[0]!r}; expected flags only")
