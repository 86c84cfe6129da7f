"""Evaluation rows: aligned below a header, which is there again when it is needed; what does not fit is counted."""

import math

import pytest

from trainer.reports.log import LogRecord
from trainer.reports.terminal.evaluation_rows import EvaluationRows, plain_evaluation


@pytest.fixture
def table(record):
    """The lines of some evaluations of so many terms at a width."""

    def make(steps, width=200, count=3, rows=None, **more):
        rows = rows or EvaluationRows()
        found = []
        for step in steps:
            found += rows.lines(record(step, count, "eval", **more), width, steps=2500)
        return [line.plain for line in found]

    return make


@pytest.mark.parametrize("width", [39, 79, 119, 199])
@pytest.mark.parametrize("count", [3, 12])
def test_rows_are_aligned_fit_and_count_what_they_leave_out(width, count, table):
    title, header, *rows = table(range(500, 2501, 500), width, count, metrics__auc=0.75, measures__missed=12.5)
    assert title == "evaluations: total = sum of the terms"
    titles, _, hidden = header.partition("  +")
    assert {len(row) for row in rows} == {len(titles)}
    assert len(header) <= width
    names = titles.split()
    assert names[:3] == ["step", "total", "auc"]
    assert len(names) + int(hidden or 0) == 4 + count
    assert [row.split()[0] for row in rows] == ["500", "1,000", "1,500", "2,000", "2,500"]
    assert {row.split()[2] for row in rows} == {"0.75"}
    ends = [titles.index(name) + len(name) for name in names]
    assert all(row[end - 1] != " " and row[end : end + 1] in ("", " ") for row in rows for end in ends)


def test_the_most_important_columns_are_the_first(table):
    _, header, _ = table([500], 79, 12, metrics__auc=0.75)
    assert header.split()[:4] == ["step", "total", "auc", "classifi…ion"]


def test_a_header_is_repeated_after_other_text_and_after_20_rows(table):
    rows = EvaluationRows()
    lines = table(range(1, 42), rows=rows)
    assert [i for i, line in enumerate(lines) if line.split()[0] == "step"] == [1, 22, 43]
    assert len(table([50], rows=rows)) == 1
    rows.interrupt()
    assert [line.split()[0] for line in table([51, 52], rows=rows)] == ["step", "51", "52"]


def test_a_header_is_repeated_where_the_columns_are_others(table):
    rows = EvaluationRows()
    table([1], rows=rows)
    assert len(table([2], rows=rows, metrics__auc=0.5)) == 2
    assert len(table([3], 60, rows=rows, metrics__auc=0.5)) == 2
    assert len(table([4], 60, rows=rows, metrics__auc=0.5)) == 1


def titles_of(rows, sizes, width=50):
    """The titles of the header that a row of terms of these sizes has above it; none without a header."""
    values = {"loss/total": sum(sizes.values()), **{f"terms/{name}/weighted": size for name, size in sizes.items()}}
    *_, header, _ = ["", *[line.plain for line in rows.lines(LogRecord("eval", 1, values), width, steps=2500)]]
    return header.split()[2:]


def test_a_term_that_becomes_one_of_the_largest_gets_a_column_at_once_and_close_ones_do_not_alternate():
    rows = EvaluationRows()
    assert titles_of(rows, {"a": 3.0, "b": 2.0, "c": 1.0, "late": 0.0}) == ["a", "b", "+2"]
    # Not yet twice as large as the smallest one that is shown: at the next header.
    assert titles_of(rows, {"a": 3.0, "b": 2.0, "c": 1.0, "late": 3.9}) == []
    assert titles_of(rows, {"a": 3.0, "b": 2.0, "c": 1.0, "late": 4.1}) == ["late", "a", "+2"]
    for i in range(10):
        assert titles_of(rows, {"a": 3.0 + i % 2, "b": 3.0 - i % 2, "c": 3.5, "late": 4.1}) == []
    rows.interrupt()
    assert titles_of(rows, {"a": 1.0, "b": 1.0, "c": 2.0, "late": 1.5}) == ["c", "late", "+2"]


def test_terms_of_a_chain_of_sizes_have_no_header_above_each_row():
    rows, sizes = EvaluationRows(), {name: 1.2**i for i, name in enumerate("abcdefgh")}
    titles_of(rows, sizes)
    assert titles_of(rows, sizes) == []


def test_what_is_not_counted_is_a_dash_and_what_is_not_finite_is_shown(table, record):
    odd = {"terms__data__count": 0.0, "metrics__auc": math.nan}
    *_, row = table([1], **odd)
    assert row.split()[2:4] == ["nan", "-"] or "-" in row.split()
    assert "data -" in plain_evaluation(record(1, 3, "eval", **odd))
    assert plain_evaluation(record(1, 3, "eval", **odd)).endswith("; auc nan")


@pytest.mark.parametrize(
    ("best", "value", "marked"),
    [
        ("metrics/auc", math.nan, [0, 2]),
        ("-metrics/auc", math.nan, [0, 3]),
        ("metrics/auc", 0.4, [2]),
        (None, math.nan, []),
    ],
)
def test_the_best_one_so_far_is_marked(record, best, value, marked):
    rows = EvaluationRows(best, value)
    found = []
    for step, auc in enumerate([0.5, 0.5, 0.3, 0.7, math.nan], start=1):
        *title, row = rows.lines(record(step, 3, "eval", metrics__auc=auc), 100, steps=2500)
        found.append(row.plain)
        assert len(row.plain) == len(found[0])
        if step == 1:
            assert ("; * = best metrics/auc so far" in title[0].plain) == bool(best)
    assert [i for i, row in enumerate(found) if "*" in row] == marked


def test_a_plain_line_says_which_is_the_best(record):
    assert plain_evaluation(record(1, 3, "eval"), is_best=True).endswith("; the best so far")
