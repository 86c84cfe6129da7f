"""The live area: redrawn below what is printed, at any width; nothing of it is left, and the cursor is never hidden."""

import io
import sys
import time

import pytest
from rich.console import Console
from rich.text import Text

from trainer.reports.terminal.live_area import LiveArea


@pytest.fixture
def console():
    return Console(file=io.StringIO(), force_terminal=True, width=30, height=20, soft_wrap=True)


@pytest.fixture
def area(console):
    drawn = [["bar 0 %", "total 1"]]

    def draw():
        return [Text(line) for line in drawn[0]]

    area = LiveArea(console, draw)
    area.start()
    yield area, drawn
    area.stop()


def test_what_is_printed_is_above_the_lines_and_the_cursor_below(console, area, rows_of):
    _, drawn = area
    console.print("a note")
    drawn[0] = ["bar 50 %", "total 2"]
    console.print("another one, which is longer than a line of this terminal")
    rows = rows_of(console.file.getvalue(), 30)
    assert rows == ["a note", "another one, which is longer t", "han a line of this terminal", *drawn[0], ""]


def test_nothing_of_it_is_left_at_the_end(console, rows_of):
    area = LiveArea(console, lambda: [Text("bar 0 %"), Text("total 1")])
    area.start()
    console.print("a note")
    area.stop()
    assert rows_of(console.file.getvalue(), 30) == ["a note", "", "", ""]


def test_what_changes_is_drawn_without_being_printed(console, area, rows_of):
    area[1][0] = ["bar 100 %"]
    for _ in range(100):
        if "100 %" in console.file.getvalue():
            break
        time.sleep(0.02)
    assert rows_of(console.file.getvalue(), 30) == ["bar 100 %", "", ""]


def test_lines_of_a_terminal_that_became_narrower_are_erased_whole(console, area):
    area[1][0] = ["x" * 29, "y" * 12]
    console.print("wide")
    console.width = 10
    before = len(console.file.getvalue())
    console.print("narrow")
    # The first one takes 3 rows now, the second one 2.
    assert console.file.getvalue()[before:].count("\x1b[1A") == 5


def test_a_terminal_of_few_rows_shows_what_fits(area, console, rows_of):
    console.size = (30, 2)
    console.print("a note")
    assert rows_of(console.file.getvalue(), 30)[:3] == ["a note", "bar 0 %", ""]


def test_what_others_print_is_above_the_lines_and_streams_are_put_back(monkeypatch, rows_of):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    output, errors = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr(sys, "stderr", errors)
    area = LiveArea(Console(force_terminal=True, width=30, height=20), lambda: [Text("bar 0 %")])
    area.start()
    print("printed by a callback")
    print("a warning", file=sys.stderr)
    sys.stderr = own = io.StringIO()
    assert rows_of(output.getvalue(), 30) == ["printed by a callback", "a warning", "bar 0 %", ""]
    area.stop()
    assert sys.stdout is output
    assert sys.stderr is own
