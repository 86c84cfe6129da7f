"""The screen: it may hang up, and where nobody watches nothing is redrawn."""

import errno
import sys

import pytest

from trainer.reports.terminal.screen import Screen, while_it_lasts


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
        (True, {"TERM": "dumb"}, False),
        (True, {"NO_COLOR": "1"}, True),
    ],
)
def test_lines_are_redrawn_where_somebody_watches(monkeypatch, is_terminal, variables, is_watched):
    for name in ("CI", "FORCE_COLOR", "TTY_INTERACTIVE", "TTY_COMPATIBLE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal, raising=False)
    assert Screen().is_interactive == is_watched
