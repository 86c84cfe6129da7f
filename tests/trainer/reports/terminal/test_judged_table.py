"""Judged table: values, shares, trends and verdicts, in the columns that a console has."""

import io

import pytest
from rich.console import Console

from trainer.reports.history import History
from trainer.reports.log import LogRecords
from trainer.reports.terminal.judged_table import judged_table
from trainer.reports.verdicts import verdicts


@pytest.fixture
def table(record):
    """The lines of a table of so many terms at a width, into a terminal or a file."""

    def make(width=200, count=3, is_terminal=True, **more):
        history, records = History(), [record(step, count, **more) for step in (1, 10, 100, 1000)]
        for one in records:
            history.add(LogRecords.of(one))
        text = io.StringIO()
        console = Console(file=text, force_terminal=is_terminal, width=width, color_system=None)
        names = [tag.split("/")[1] for tag in records[0].values if tag.endswith("/raw")]
        found = judged_table("each term", records[-1].values, verdicts(history, names), console)
        console.print(found, soft_wrap=not is_terminal)
        return text.getvalue().splitlines()

    return make


def cells(lines):
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]


def test_the_terms_have_values_shares_trends_and_verdicts_the_largest_first(table):
    rows = cells(table(terms__small__grad_norm=3.0, terms__data__grad_norm=1.0, terms__range__grad_norm=0.0))
    assert [row[0] for row in rows] == ["small", "data", "range", "total"]
    small, data, range_, total = rows
    assert small == ["small", "0.002664", "0.5", "0.001332", "75.0%", "█▆▄▁", "3", "dominates"]
    assert data[4:5] + range_[4:5] == ["25.0%", "0.0%"]
    assert range_[-1] == "idle"
    assert total == ["total", "", "", "0.005772", "", "", "", ""]


def test_without_gradients_the_shares_are_those_of_values_and_no_column_is_empty(table):
    lines = table()
    assert "gradient" not in lines[2]
    assert "cosine" not in lines[2]
    assert [row[4] for row in cells(lines)] == ["69.2%", "23.1%", "7.7%", ""]
    assert lines[-1].strip() == "share of the total, of late; trend of the weighted value"


def test_a_cell_of_a_notebook_shows_every_column(table):
    (header,) = [line for line in table(120, terms__data__grad_norm=1.0, terms__data__grad_cosine=0.5) if "raw" in line]
    assert [cell.strip() for cell in header.split("┃")[1:-1]] == [
        *("term", "raw", "weight", "weighted", "share", "trend", "gradient", "cosine", "verdict")
    ]


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("count", [3, 12])
def test_no_line_is_wrapped_and_what_is_left_out_is_said(table, width, count):
    more = {"terms__data__grad_norm": 1.0, "terms__data__grad_cosine": 0.5} if count == 3 else {}
    lines = table(width, count, **more)
    rows = [line for line in lines if line[0] in "┏┃┡│├└"]
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows[0]) < width
    assert all(len(line) < width for line in lines)
    assert len(cells(lines)) >= count
    titles = [title.strip() for title in rows[1].split("┃")[1:-1]]
    assert {"term", "share", "verdict"} <= {*titles}
    told = " ".join(" ".join(lines[lines.index(rows[-1]) + 1 :]).split())
    left_out = told.partition("left out here: ")[2].split(", ")
    assert {"raw", "weight", "weighted", "trend"} - {*titles} == {*map(str.strip, left_out)} - {
        "",
        "gradient",
        "cosine",
    }


def test_a_file_has_all_columns_whatever_its_width(table):
    lines = table(40, 12, is_terminal=False)
    assert {"raw", "weight", "weighted", "share", "trend", "verdict"} <= {*lines[2].replace("┃", " ").split()}
    assert [row[0] for row in cells(lines)][6] == "kl"
    assert "layer_1.activation_penalty" in [row[0] for row in cells(lines)]
