"""Text files: Markdown for readers, CSV that programs read back without a loss."""

import csv
import io

import pytest

from trainer.comparison.table import table_of
from trainer.comparison.text_files import csv_text, markdown


@pytest.fixture
def comparison(compared):
    return compared(
        plain={"data": 1 / 3, "learned": {"error": 0.1}},
        **{"new_*": {"data": 0.25, "weight": 2.0, "seed": 1, "metrics/a|b": 0.5}},
    )


def test_csv_has_a_row_a_run_with_all_values_in_full(comparison):
    rows = [*csv.DictReader(io.StringIO(csv_text(comparison)))]
    assert [row["run"] for row in rows] == ["plain", "new_*"]
    assert [row["small.weight"] for row in rows] == ["0.5", "2.0"]
    assert [row["Trainer.seed"] for row in rows] == ["0", "1"]
    assert float(rows[0]["terms/data/raw"]) == 1 / 3
    assert [row["metrics/a|b"] for row in rows] == ["", "0.5"]
    assert [row["measures/error"] for row in rows] == ["0.1", ""]
    assert [(row["status"], row["step"], row["steps"], row["evaluated_at_step"]) for row in rows] == [
        ("finished", "10", "10", "10")
    ] * 2
    assert not any("count" in name or "↓" in text for row in rows for name, text in row.items())


def test_markdown_has_a_table_in_which_names_are_no_markup(comparison):
    text = markdown(table_of(comparison))
    lines = text.splitlines()
    assert lines[:2] == ["|  | plain | new\\_\\* |", "| --- | ---: | ---: |"]
    assert "| data | 0.3333 | **0.25** ★ ↓ -25.0% |" in lines
    assert r"| a\|b | — | 0.5 |" in lines
    table = [line for line in lines if line.startswith("|")]
    assert {line.replace(r"\|", "").count("|") for line in table} == {4}
    assert "- ≠ not the same quantity: total (another objective)" in lines
