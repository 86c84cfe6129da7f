"""What a run prints last: lines that can be copied as they are."""

import shlex

import pytest
from rich.console import Console

from termwise.cli import results
from termwise.cli.results import show_charts, show_place


def test_the_command_for_charts_can_be_pasted_whatever_the_folder_is_called(capsys):
    folder = "runs/my first [run]'s"
    show_charts(folder)
    words = shlex.split(capsys.readouterr().out)
    assert words[:4] == ["charts:", "tensorboard", "--logdir", folder]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (None, ["page:     /a/long path.html, /b   (a remark)"]),
        (44, ["page:     /a/long path.html, /b   (a remark)"]),
        (43, ["page:     /a/long path.html, /b"]),
        (30, ["page:", "/a/long path.html", "/b"]),
        (10, ["page:", "/a/long path.html", "/b"]),
    ],
)
def test_a_path_is_in_one_piece_and_begins_a_line_where_there_is_no_room_beside_its_label(
    monkeypatch, capsys, width, lines
):
    look = {"force_terminal": width is not None, "color_system": None, "soft_wrap": True, "highlight": False}
    monkeypatch.setattr(results, "_CONSOLE", Console(width=width, **look))
    show_place("page", "/a/long path.html", "/b", remark="a remark")
    assert capsys.readouterr().out.splitlines() == lines
