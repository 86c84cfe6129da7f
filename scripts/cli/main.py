"""The console command `termwise`: it runs a command as if its file had been started, and loads nothing heavy."""

import ast
import difflib
import os
import pathlib
import runpy
import shlex
import shutil
import sys

from termwise.cli import exit_status, signals

_FOLDER = pathlib.Path(__file__).parents[1]


def main() -> None:
    """Runs the command that is named first, with the arguments that follow; status 2 where there is no such command."""
    match sys.argv[1:]:
        case [] | [("--help" | "-h" | "help"), *_]:
            signals.end_with_reader()
            print(usage())
        case [name, *arguments] if name in commands():
            typed = "termwise" if shutil.which("termwise") else sys.argv[0]
            os.environ.setdefault(signals.COMMAND_VARIABLE, shlex.join([typed, name, *arguments]))
            sys.argv[1:] = arguments
            # As __main__, so that absl finds the flags and the help of the command where it looks for them.
            runpy.run_module(f"termwise.{name}", run_name="__main__", alter_sys=True)
        case [name, *_]:
            near = difflib.get_close_matches(name, commands(), n=1)
            guess = f"did you mean {near[0]!r}? " if near else ""
            exit_status.end_with(f"there is no command {name!r}; {guess}known: {', '.join(commands())}")


def commands() -> list[str]:
    """Returns the names of all commands: there is a file for each."""
    return sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem != "__init__")


def usage() -> str:
    """Returns the commands, a line each, as their own first lines put it."""
    width = max(map(len, commands()))
    lines = [f"  {name:{width}}  {_summary(name)}" for name in commands()]
    return "\n".join(["termwise COMMAND ...; termwise COMMAND --help says more.", "", *lines])


def _summary(name: str) -> str:
    module = ast.parse((_FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    return (ast.get_docstring(module) or "").partition("\n")[0]
