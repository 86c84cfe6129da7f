"""Comparison: a table of runs fits its terminal in one way or another, and no number is cut."""

import pytest
from rich.console import Console

from termwise.cli import results
from termwise.cli.comparison import show_comparison
from trainer.comparison.cells import Cell
from trainer.comparison.table import Section, Table


@pytest.fixture
def shown(monkeypatch, capsys):
    """The lines that a table of so many runs and values has on a terminal of some width."""

    def show(*, runs, values, width, setting="0.5", name="run", value="0.1234"):
        look = {"force_terminal": width is not None, "color_system": None, "soft_wrap": True, "highlight": False}
        monkeypatch.setattr(results, "_CONSOLE", Console(width=width, **look))
        rows = {f"value {i}": [Cell(value, "↓ -1.0%", 1, j == 1) for j in range(runs)] for i in range(values)}
        settings = Section("settings that differ", {"weight": [Cell(setting)] * runs}, may_be_cut=True)
        sections = [settings, Section("values", rows)]
        show_comparison(Table([f"{name}{j}" for j in range(runs)], sections, ["a note"]))
        return capsys.readouterr().out.splitlines()

    return show


def cells(lines):
    return [[cell.strip() for cell in row.split("│")[1:-1]] for row in lines if row[:1] == "│"]


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize(("runs", "values"), [(2, 3), (3, 12), (12, 2), (12, 12)])
def test_every_line_fits_and_every_number_is_there(shown, runs, values, width):
    lines = shown(runs=runs, values=values, width=width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert text.count("0.1234") == runs * values
    assert text.count("★") == values
    assert lines[-1] == "a note"


def test_what_fits_is_one_table_with_values_and_changes_below_one_another(shown):
    lines = shown(runs=2, values=2, width=80)
    assert cells(lines) == [
        ["weight", "0.5", "0.5"],
        ["values", "", ""],
        ["value 0", "0.1234 ↓ -1.0%", "0.1234 ★ ↓ -1.0%"],
        ["value 1", "0.1234 ↓ -1.0%", "0.1234 ★ ↓ -1.0%"],
    ]
    weight, value = (next(line for line in lines if start in line) for start in ("weight", "value 0"))
    assert weight.index("0.5") + len("0.5") == value.index("0.1234") + len("0.1234")


def test_many_runs_with_few_values_are_rows(shown):
    rows = cells(shown(runs=13, values=2, width=80))
    marks = ["", "★ "] + [""] * 11
    assert rows[13:] == [[f"run{j}", *[f"0.1234 {marks[j]}↓ -1.0%"] * 2] for j in range(13)]


def test_long_settings_are_cut_only_where_the_table_would_not_fit(shown):
    long = "Linear(first=0, last=4, steps=200)"
    assert long in "".join(shown(runs=2, values=1, width=120, setting=long))
    lines = shown(runs=3, values=1, width=90, setting=long)
    assert "Linear(firs…" in "".join(lines)
    assert max(map(len, lines)) <= 90
    assert len([line for line in lines if line.startswith("┏")]) == 1


def test_means_with_their_spread_are_not_cut_where_settings_are(shown):
    spread = "0.0004239 ± 7.7e-05"
    lines = shown(runs=2, values=2, width=60, value=spread, setting="Linear(first=0, last=4, steps=200)")
    assert "".join(lines).count(spread) == 4


def test_a_single_run_wider_than_the_terminal_keeps_all_of_its_numbers(shown):
    lines = shown(runs=1, values=2, width=20, name="a run of a very long name ")
    assert "".join(lines).count("0.1234") == 2
    assert "…" not in "".join(lines)


def test_runs_of_which_not_even_one_fits_are_lines_one_run_after_the_other(shown):
    long = "Linear(first=0, last=4)"
    lines = shown(runs=2, values=2, width=30, name="a_long_name", setting=long, value="0.123456")
    assert lines == [
        "settings that differ",
        *("a_long_name0: Linear(first=0,", "last=4)", "a_long_name1: Linear(first=0,", "last=4)"),
        "values",
        *("a_long_name0", "  value 0: 0.123456 ↓ -1.0%", "  value 1: 0.123456 ↓ -1.0%"),
        *("a_long_name1", "  value 0: 0.123456 ★ ↓ -1.0%", "  value 1: 0.123456 ★ ↓ -1.0%"),
        "a note",
    ]


def test_a_pipe_has_no_width_so_that_there_is_one_table_in_which_nothing_is_cut(shown):
    long = "Linear(first=0, last=4, steps=200) of a name that is longer than any line"
    lines = shown(runs=12, values=12, width=None, setting=long)
    assert len([line for line in lines if line.startswith("┏")]) == 1
    assert "".join(lines).count(long) == 12


def test_as_many_runs_as_fit_are_in_each_of_several_tables(shown):
    lines = shown(runs=7, values=12, width=80, value="0.0004239 ± 7.7e-05")
    heads = [line.count("┃") - 2 for line in lines if "┃ values" in line]
    assert heads == [2, 2, 2, 1]
