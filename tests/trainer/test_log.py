"""Averages: every step enters one line, whatever the chunks it comes in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.log import Averages


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
    for length in lengths:
        lines += averages.lines(first_step=first_step + done, rows=rows[done : done + length])
        done += length
    lines += averages.rest()
    stops = [step for step in range(first_step + 1, first_step + total + 1) if step % every == 0]
    if total and (not stops or stops[-1] != first_step + total):
        stops.append(first_step + total)
    assert [step for step, _ in lines] == stops
    begins = [first_step, *stops][: len(stops)]
    for (step, values), begin in zip(lines, begins, strict=True):
        expected = (begin + 1 + step) / 2
        assert values == pytest.approx({"a": expected, "b": -2 * expected})


def test_the_rest_is_given_once():
    averages = Averages(tags=["a"], every=10)
    assert list(averages.rest()) == []
    assert list(averages.lines(first_step=0, rows=np.ones([3, 1]))) == []
    assert list(averages.rest()) == [(3, {"a": 1.0})]
    assert list(averages.rest()) == []


def test_small_numbers_survive_beside_many_of_them():
    averages = Averages(tags=["a"], every=1000)
    rows = np.full([1000, 1], 0.1, np.float32)
    ((_, values),) = averages.lines(first_step=0, rows=rows)
    assert values["a"] == pytest.approx(float(np.float32(0.1)), rel=1e-12)
