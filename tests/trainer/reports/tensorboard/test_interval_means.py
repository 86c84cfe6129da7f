"""Interval means: bounded in number, the same however records come, and whichever process adds them."""

import numpy as np
import pytest

from trainer.reports.log import LogRecords
from trainer.reports.tensorboard.interval_means import IntervalMeans, unended_after


def records(steps, every=1):
    """Records of two tags; the second is in each third record only."""
    steps = np.arange(every, steps + 1, every)
    values = np.random.default_rng(0).normal(size=[len(steps), 2]) * 1e6
    present = np.stack([np.ones(len(steps), bool), steps // every % 3 == 0], axis=1)
    return LogRecords("train", steps, ("a", "b"), np.where(present, values, 7.0), present)


def added(means, blocks):
    found = [means.add(block) for block in blocks if len(block)]
    return [np.concatenate([getattr(one, name) for one in found]) for name in ("steps", "values", "present")]


@pytest.mark.parametrize(
    ("steps", "every"), [(1, 1), (999, 1), (1000, 1), (1001, 1), (4567, 1), (7777, 20), (9000, 3000)]
)
def test_there_are_about_a_thousand_of_which_the_last_is_that_of_the_last_record(steps, every):
    given = records(steps, every)
    ends, _, _ = added(IntervalMeans(["a", "b"], steps=steps), [given])
    assert len(ends) <= 1001
    assert len(ends) >= min(len(given), 400)
    assert set(ends) <= set(given.steps)
    if steps % every == 0:
        assert ends[-1] == steps


def test_each_is_the_mean_of_what_records_have_since_the_one_before():
    given = records(2500)
    ends, values, present = added(IntervalMeans(["a", "b"], steps=2500), [given])
    begins = np.concatenate([[0], ends[:-1]])
    for begin, end, value, there in zip(begins, ends, values, present, strict=True):
        rows = (given.steps > begin) & (given.steps <= end)
        for k in range(2):
            own = given.values[rows, k][given.present[rows, k]]
            assert there[k] == (len(own) > 0)
            if there[k]:
                np.testing.assert_allclose(value[k], own.mean(), rtol=1e-6, atol=0.1)


@pytest.mark.parametrize("every", [1, 2, 3, 7, 20])
def test_cutting_records_anywhere_and_going_on_from_the_latest_ones_changes_no_bit(every):
    steps = 5300
    given = records(steps, every)
    whole = added(IntervalMeans(["a", "b"], steps=steps), [given])
    for stop in (0, 1, 6, 11, 18, 1234, 2000, 5270):
        first, rest = given[given.steps <= stop], given[given.steps > stop]
        since = unended_after(stop, steps)
        resumed = IntervalMeans(["a", "b"], steps=steps, last=since)
        for i in np.flatnonzero(first.steps > since):
            resumed.add(first[i : i + 1])
        found = added(resumed, [rest[:5], rest[5:6], rest[6:]])
        kept = whole[0] > stop
        for ours, expected in zip(found, whole, strict=True):
            np.testing.assert_array_equal(ours, expected[kept])


def test_what_is_not_a_number_makes_its_interval_none_and_no_other():
    values = np.array([[1.0], [np.nan], [3.0], [4.0]])
    means = IntervalMeans(["a"], steps=2000)
    found = means.add(LogRecords("train", np.arange(1, 5), ("a",), values))
    np.testing.assert_array_equal(found.values, [[np.nan], [3.5]])


def test_tags_that_come_and_go_are_of_the_records_that_have_them():
    means = IntervalMeans(["a", "b"], steps=4000)
    means.add(LogRecords("train", np.array([1]), ("other", "a"), np.array([[9.0, 1.0]])))
    found = means.add(
        LogRecords("train", np.array([2, 3, 4]), ("b", "a"), np.array([[5.0, 2.0], [6.0, 3.0], [7.0, 4.0]]))
    )
    np.testing.assert_array_equal(found.values, [[2.5, 6.0]])
