"""Averages: every step enters one line, whatever the chunks it comes in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.log import Averages, Line, Lines


@given(
    first_step=st.integers(0, 20),
    every=st.integers(1, 8),
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=6),
)
def test_a_line_is_the_mean_of_the_steps_since_the_last(first_step, every, lengths):
    averages = Averages(tags=["a", "b"], every=every)
    total = sum(lengths)
    # The value of a step is its number, so that a mean tells which steps are in it.
    numbers = np.arange(first_step + 1, first_step + total + 1, dtype=np.float64)
    rows = np.stack([numbers, -2 * numbers], axis=1)
    lines, done = [], 0
    for i, length in enumerate(lengths):
        part, complete = rows[done : done + length], i == len(lengths) - 1
        lines += averages.lines(first_step=first_step + done, rows=part, complete=complete)
        done += length
    stops = [step for step in range(first_step + 1, first_step + total + 1) if step % every == 0]
    if total and (not stops or stops[-1] != first_step + total):
        stops.append(first_step + total)
    assert [line.step for line in lines] == stops
    begins = [first_step, *stops][: len(stops)]
    for line, begin in zip(lines, begins, strict=True):
        expected = (begin + 1 + line.step) / 2
        assert line.values == pytest.approx({"a": expected, "b": -2 * expected})


def test_steps_that_have_a_line_do_not_wait_for_another():
    averages = Averages(tags=["a"], every=10)
    nothing = np.empty([0, 1])
    assert len(averages.lines(first_step=0, rows=nothing, complete=True)) == 0
    assert len(averages.lines(first_step=0, rows=np.ones([3, 1]))) == 0
    assert list(averages.lines(first_step=3, rows=nothing, complete=True)) == [Line("train", 3, {"a": 1.0})]
    assert len(averages.lines(first_step=3, rows=nothing, complete=True)) == 0
    assert list(averages.lines(first_step=3, rows=np.full([7, 1], 2.0))) == [Line("train", 10, {"a": 2.0})]


def test_where_chunks_end_changes_no_bit():
    rows = np.random.default_rng(0).lognormal(sigma=20, size=[100, 1]).astype(np.float32)
    (whole,) = Averages(tags=["a"], every=100).lines(first_step=0, rows=rows)
    for cut in (1, 33, 50, 99):
        averages = Averages(tags=["a"], every=100)
        assert not averages.lines(first_step=0, rows=rows[:cut])
        assert list(averages.lines(first_step=cut, rows=rows[cut:])) == [whole]


def test_what_waits_for_a_line_lies_in_variables():
    rows = np.random.default_rng(0).normal(size=[30, 2])
    first, second = Averages(tags=["a", "b"], every=20), Averages(tags=["a", "b"], every=20)
    (line,) = Averages(tags=["a", "b"], every=20).lines(first_step=0, rows=rows[:20])
    first.lines(first_step=0, rows=rows[:13])
    for ours, theirs in zip(second.state, first.state, strict=True):
        ours.assign(theirs)
    assert list(second.lines(first_step=13, rows=rows[13:20])) == [line]


def test_what_waits_of_other_tags_is_dropped():
    first, second = Averages(tags=["a"], every=3), Averages(tags=["b", "c"], every=3)
    first.lines(first_step=0, rows=np.array([[1.0]]))
    for ours, theirs in zip(second.state, first.state, strict=True):
        ours.assign(theirs)
    (line,) = second.lines(first_step=1, rows=np.array([[2.0, 3.0], [4.0, 5.0]]))
    assert line == Line("train", 3, {"b": 3.0, "c": 4.0})


def test_a_value_that_is_not_finite_spoils_only_its_own_line():
    rows = np.array([[1.0], [np.nan], [3.0], [np.inf]])
    values = Averages(tags=["a"], every=1).lines(first_step=0, rows=rows).values
    np.testing.assert_array_equal(values, rows)


def test_small_numbers_survive_beside_many_of_them():
    averages = Averages(tags=["a"], every=1000)
    rows = np.full([1000, 1], 0.1, np.float32)
    (line,) = averages.lines(first_step=0, rows=rows)
    assert line.values["a"] == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_lines_are_the_same_one_by_one_and_in_parts():
    lines = Lines("train", np.array([1, 2, 3]), ("a", "b"), np.arange(6.0).reshape(3, 2))
    expected = [Line("train", step, {"a": 2.0 * step - 2, "b": 2.0 * step - 1}) for step in (1, 2, 3)]
    assert list(lines) == expected
    assert list(lines[:-1]) == expected[:-1]
    assert lines.last == expected[-1]
    assert list(Lines.of(expected[1])) == [expected[1]]
    assert [line.values for line in lines.with_columns({"c": 7.0})] == [{**line.values, "c": 7.0} for line in expected]
    assert not lines[:0]
    assert list(lines[:0].with_columns({"c": 7.0})) == []
