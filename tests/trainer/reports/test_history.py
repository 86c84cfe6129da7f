"""The history of a run: means over intervals, however its records arrive."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.reports.history import History
from trainer.reports.log import LogRecords


def records(steps, values, tag="loss/total"):
    return LogRecords("train", np.array(steps), (tag,), np.array(values, float)[:, None])


@given(count=st.integers(1, 60), limit=st.sampled_from([2, 4, 8]), cuts=st.sets(st.integers(1, 59)))
def test_the_means_are_those_of_all_values_of_an_interval_however_they_are_cut(count, limit, cuts):
    steps, values = np.arange(1, count + 1), np.random.default_rng(count).normal(size=count)
    history = History(limit=limit)
    for first, end in zip([0, *sorted(cuts)], [*sorted(cuts), 60], strict=True):
        history.add(records(steps[first:end], values[first:end]))
    ends = history.steps
    assert len(ends) <= limit
    assert ends[-1] == count
    own = [values[(steps > first) & (steps <= end)] for first, end in zip([0, *ends], ends, strict=False)]
    assert history.means("loss/total") == pytest.approx([one.mean() for one in own])
    assert history.sizes("loss/total") == pytest.approx([np.abs(one).sum() for one in own])


def test_what_is_missing_or_not_finite_is_left_out_of_the_means():
    history = History(limit=2)
    history.add(records([1], [1.0]))
    values = np.array([[np.nan, 5.0], [3.0, 7.0]])
    present = np.array([[True, True], [True, False]])
    history.add(LogRecords("train", np.array([2, 3]), ("loss/total", "terms/a/raw"), values, present))
    assert history.means("loss/total").tolist() == history.sizes("loss/total").tolist() == [1.0, 3.0]
    np.testing.assert_equal(history.means("terms/a/raw"), [5.0, np.nan])
    np.testing.assert_equal(history.sizes("terms/a/raw"), [5.0, np.nan])
    assert np.isnan(history.means("terms/b/raw")).all()


@pytest.mark.parametrize(
    ("values", "is_negative"), [([0.1] * 9, False), ([0.0, 0.3], False), ([0.1, 0.3, -1e-12], True)]
)
def test_a_value_below_0_is_known_after_intervals_were_merged(values, is_negative):
    history = History(limit=2)
    for step, value in enumerate(values, start=1):
        history.add(records([step], [value]))
    assert history.is_negative("loss/total") == is_negative
    assert not history.is_negative("terms/a/raw")
