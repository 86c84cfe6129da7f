"""Term table: nothing is cut where there is room, and where there is none, names are before numbers."""

import io
import math

import pytest
from rich.console import Console

from trainer.reports.terminal.term_table import VERDICT, fitted_table, natural_width, term_table

LEFT, RIGHT = "overlap_of_the_ventricle_on_the_left_side", "overlap_of_the_ventricle_on_the_right_side"
TENSOR = "activations.encoder/the_last_of_all_blocks"


def cells(lines):
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]


@pytest.fixture
def fitted():
    """The cells of two terms of long names at a width, and which columns are left out."""

    def make(width, *, is_terminal=True):
        of_tensor = {f"terms/{LEFT}/{TENSOR}/{what}": value for what, value in {"raw": 0.125, "count": 1.0}.items()}
        values = {"loss/total": 0.75, **of_tensor}
        rows = {name: {"raw": "12345.6", "weighted": "0.375", VERDICT: "dominates"} for name in (LEFT, RIGHT)}
        console = Console(file=io.StringIO(), force_terminal=is_terminal, width=width, color_system=None)
        table, left_out = fitted_table("each term", values, rows, console)
        console.print(table, soft_wrap=not is_terminal)
        lines = console.file.getvalue().splitlines()
        assert not is_terminal or max(map(len, lines)) < width
        return cells(lines), left_out

    return make


def test_names_are_in_full_where_they_fit_and_in_a_file(fitted):
    rows, left_out = fitted(100)
    assert rows == [
        [LEFT, "12345.6", "0.375", "dominates"],
        [TENSOR, "0.125", "", ""],
        [RIGHT, "12345.6", "0.375", "dominates"],
        ["total", "", "0.75", ""],
    ]
    assert left_out == []
    assert fitted(20, is_terminal=False) == (rows, [])


def test_names_are_cut_before_columns_are_left_out_and_stay_different(fitted):
    rows, left_out = fitted(60)
    assert [row[1:] for row in rows] == [
        ["12345.6", "0.375", "dominates"],
        ["0.125", "", ""],
        ["12345.6", "0.375", "dominates"],
        ["", "0.75", ""],
    ]
    assert left_out == []
    assert len({row[0] for row in rows}) == 4
    rows, left_out = fitted(45)
    assert [row[1:] for row in rows] == [["0.375", "dominates"], ["0.375", "dominates"], ["0.75", ""]]
    assert left_out == ["raw"]


def test_what_was_not_counted_has_a_weight_only_and_tensors_have_rows(record):
    tensors = {"terms__data__a/b__raw": 0.25, "terms__data__a/b__count": 1.0}
    values = record(1, 3, terms__small__count=0.0, metrics__auc=math.nan, **tensors).values
    console = Console(file=io.StringIO(), width=80)
    found = term_table("each term", values)
    assert natural_width(console, found) < 80
    console.print(found)
    rows = cells(console.file.getvalue().splitlines())
    assert ["small", "-", "0.5", "-"] in rows
    assert ["a/b", "0.25", "", ""] in rows
