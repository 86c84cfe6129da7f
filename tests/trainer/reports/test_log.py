"""Lines: the same one by one and in parts, and what has no value has no place in them."""

import math

import numpy as np
import pytest

from trainer.reports.log import LogRecord, LogRecords, blocks


def test_lines_are_the_same_one_by_one_and_in_parts():
    lines = LogRecords("train", np.array([1, 2, 3]), ("a", "b"), np.arange(6.0).reshape(3, 2))
    expected = [LogRecord("train", step, {"a": 2.0 * step - 2, "b": 2.0 * step - 1}) for step in (1, 2, 3)]
    assert list(lines) == expected
    assert list(lines[:-1]) == expected[:-1]
    assert lines.last == expected[-1]
    assert list(LogRecords.of(expected[1])) == [expected[1]]
    assert [line.values for line in lines.with_columns({"c": 7.0})] == [{**line.values, "c": 7.0} for line in expected]
    assert not lines[:0]
    assert list(lines[:0].with_columns({"c": 7.0})) == []


def test_what_a_line_has_not_is_missing_from_it_in_all_parts():
    present = np.array([[True, True], [False, True], [True, False]])
    lines = LogRecords("train", np.array([1, 2, 3]), ("a", "b"), np.arange(6.0).reshape(3, 2), present)
    expected = [
        LogRecord("train", 1, {"a": 0.0, "b": 1.0}),
        LogRecord("train", 2, {"b": 3.0}),
        LogRecord("train", 3, {"a": 4.0}),
    ]
    assert list(lines) == expected
    assert list(lines[1:]) == expected[1:]
    assert lines[:2].last == expected[1]
    assert [line.values for line in lines.with_columns({"c": 7.0})] == [{**line.values, "c": 7.0} for line in expected]


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("terms/empty/raw", math.nan),
        ("terms/empty/weighted", math.nan),
        ("terms/empty/count", 0.0),
        ("terms/full/weighted", 2.0),
        ("loss/total", math.nan),
        ("terms/other/raw", math.nan),
    ],
)
def test_what_nothing_was_counted_for_compares_with_nothing(tag, value):
    empty = {"terms/empty/weight": 0.5, "terms/empty/weighted": 0.0, "terms/empty/count": 0.0}
    full = {"terms/full/raw": 2.0, "terms/full/weight": 1.0, "terms/full/weighted": 2.0, "terms/full/count": 3.0}
    line = LogRecord("eval", 7, {"loss/total": 2.0, **empty, **full})
    np.testing.assert_equal(line.comparable(tag), value)
    without_weight = LogRecord("eval", 7, {**line.values, "terms/empty/weight": 0.0})
    assert without_weight.comparable("loss/total") == 2.0  # the term would have added nothing


def test_long_stretches_are_read_a_block_at_a_time_and_lose_nothing():
    read = []

    def records():
        for step in range(1, 2001):
            read.append(LogRecord("train", step, {"a": 1.0 / step}))
            yield read[-1]

    found = blocks(records())
    first = next(found)
    assert len(read) < 1000
    others = [*found]
    assert [record for block in (first, *others) for record in block] == read
    assert all(block.tags is first.tags for block in others)
