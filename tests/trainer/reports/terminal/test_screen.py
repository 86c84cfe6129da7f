"""The screen: it may hang up, and where nobody watches nothing is redrawn."""

import errno
import io
import os
import pty
import sys
import termios

import pytest
from rich.console import Console

from trainer.reports.terminal.screen import Screen, fitted, print_by_words, while_it_lasts


def test_a_terminal_that_hangs_up_is_ignored_and_nothing_else():
    with while_it_lasts():
        raise OSError(errno.EIO, "Input/output error")
    with pytest.raises(OSError, match="No space"), while_it_lasts():
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("is_terminal", "variables", "is_watched"),
    [
        (True, {}, True),
        (False, {}, False),
        (False, {"FORCE_COLOR": "1"}, False),
        (True, {"CI": "true"}, False),
        (True, {"JPY_PARENT_PID": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"NO_COLOR": "1"}, True),
    ],
)
def test_lines_are_redrawn_where_somebody_watches(monkeypatch, is_terminal, variables, is_watched):
    for name in ("CI", "JPY_PARENT_PID", "FORCE_COLOR", "TTY_INTERACTIVE", "TTY_COMPATIBLE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal, raising=False)
    assert Screen().is_interactive == is_watched


def test_a_cell_of_a_notebook_has_more_columns_than_the_terminal_that_it_gives_a_command(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    assert Screen().width == 80
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    assert Screen().width == 120


@pytest.mark.parametrize(("is_terminal", "lines"), [(True, 4), (False, 1)])
def test_lines_end_between_words_on_a_terminal_and_a_path_stays_in_one_piece(is_terminal, lines):
    text = "3 terms, [red], 600 steps, in runs/a/very/long/path-of-a-run, and so on"
    console = Console(file=io.StringIO(), force_terminal=is_terminal, width=20)
    print_by_words(console, text)
    shown = console.file.getvalue().splitlines()
    assert " ".join(shown) == text
    assert len(shown) == lines


def test_what_is_printed_to_a_terminal_directly_ends_its_lines_between_words_too():
    text = "SIGINT: finishing the current steps\n  an indented line continues"
    ours, theirs = pty.openpty()
    with open(ours, "rb"), open(theirs, "w") as terminal:
        termios.tcsetwinsize(theirs, (24, 20))
        lines = fitted(text, terminal).splitlines()
    assert lines == ["SIGINT: finishing", "the current steps", "  an indented line", "  continues"]
    with open(os.devnull, "w") as nothing:
        assert fitted(text, nothing) == text
