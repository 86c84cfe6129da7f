"""The moving picture of a terminal shows what the terminal showed, when it did."""

import importlib.util
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

import pytest

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def cast():
    spec = importlib.util.spec_from_file_location(
        "cast", pathlib.Path(__file__).parents[2] / "docs" / "site" / "cast.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def recording():
    """A line, and one that is drawn again below another one."""
    return [
        (5.0, "first\r\n\x1b[31m 50%\x1b[0m <1>\r\n"),
        (6.0, "\r\x1b[2K\x1b[1A\x1b[2Ksecond\r\n100% <2>\r\n"),
    ]


def test_screens_are_what_stands_there_at_each_moment(cast, recording):
    shown = [[line.plain for line in screen] for screen in cast.screens(recording, count=3)]
    assert shown == [["first", " 50% <1>"], ["first", " 50% <1>"], ["first", "second", "100% <2>"]]


def test_lines_are_cut_where_the_terminal_ends(cast):
    ((first, second),) = cast.screens([(0.0, "x" * (cast.COLUMNS + 1) + "\r\n")], count=1)
    assert (len(first), len(second)) == (cast.COLUMNS, 1)


def test_the_picture_moves_and_ends_with_the_last_screen(cast, recording):
    root = ElementTree.fromstring(cast.drawn("a & b", cast.screens(recording, count=3)))
    seen = {visibility: [] for visibility in ("visible", "hidden")}
    for group in root.iter(f"{SVG}g"):
        seen[group.get("visibility")].append("".join(text.text for text in group.iter(f"{SVG}text")).split())
    assert seen == {
        "visible": [["$", "a", "&", "b"], ["first"], ["second"], ["100%", "<2>"]],
        "hidden": [["50%", "<1>"]],
    }
    moments = {(one.get("to"), one.get("begin"), one.get("dur")) for one in root.iter(f"{SVG}set")}
    assert moments == {("visible", "0.00s", "8.00s"), ("hidden", "0s", "8.00s")}


def test_a_command_is_recorded_on_a_terminal(cast):
    printed = "import sys; print(sys.stdout.isatty(), *map(int, __import__('os').get_terminal_size()))"
    ((_, told), *_) = cast.record([sys.executable, "-S", "-c", printed])
    assert told == f"True {cast.COLUMNS} 40\r\n"
