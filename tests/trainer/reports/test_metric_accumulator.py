"""MetricAccumulator: every step enters one record, whatever its chunk, and counts there as its values do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.reports.log import LogRecord
from trainer.reports.metric_accumulator import MetricAccumulator


@given(
    first_step=st.integers(0, 20),
    every=st.integers(1, 8),
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=6),
)
def test_a_line_is_the_mean_of_the_steps_since_the_last(first_step, every, lengths):
    metrics = MetricAccumulator(tags=["a", "b"], every=every)
    total = sum(lengths)
    # The value of a step is its number, so that a mean tells which steps are in it.
    numbers = np.arange(first_step + 1, first_step + total + 1, dtype=np.float64)
    rows = np.stack([numbers, -2 * numbers], axis=1)
    records, done = [], 0
    for length in lengths:
        records += metrics.records(first_step=first_step + done, rows=rows[done : done + length])
        done += length
    records += metrics.unfinished(first_step + total)
    stops = [step for step in range(first_step + 1, first_step + total + 1) if step % every == 0]
    if total and (not stops or stops[-1] != first_step + total):
        stops.append(first_step + total)
    assert [line.step for line in records] == stops
    begins = [first_step, *stops][: len(stops)]
    for line, begin in zip(records, begins, strict=True):
        expected = (begin + 1 + line.step) / 2
        assert line.values == pytest.approx({"a": expected, "b": -2 * expected})


def test_reading_pending_values_leaves_them_for_their_record():
    metrics = MetricAccumulator(tags=["a"], every=10)
    nothing = np.empty([0, 1])
    assert len(metrics.unfinished(0)) == len(metrics.records(first_step=0, rows=nothing)) == 0
    assert len(metrics.records(first_step=0, rows=np.ones([4, 1]))) == 0
    for _ in range(2):
        assert list(metrics.unfinished(4)) == [LogRecord("train", 4, {"a": 1.0})]
    assert len(metrics.records(first_step=4, rows=nothing)) == 0
    assert list(metrics.records(first_step=4, rows=np.full([6, 1], 2.0))) == [LogRecord("train", 10, {"a": 1.6})]
    assert len(metrics.unfinished(10)) == len(metrics.records(first_step=10, rows=nothing)) == 0


TAGS = ["loss/total", *(f"terms/{name}/{what}" for what in ("raw", "weight", "weighted", "count") for name in "ab")]


def steps_of_two_terms(count):
    """Rows of steps of which some have no value of one term, or of both."""
    rng = np.random.default_rng(0)
    raw, counts = rng.lognormal(size=[count, 2]), rng.integers(0, 4, [count, 2])
    counts[:3] = 0
    raw[counts == 0] = 0.0
    weight = rng.uniform(size=[count, 2])
    total = np.sum(raw * weight, axis=1, keepdims=True)
    return np.hstack([total, raw, weight, raw * weight, counts]).astype(np.float32)


@pytest.mark.parametrize("every", [1, 3, 8])
def test_a_step_counts_in_a_line_as_its_values_do(every):
    rows = steps_of_two_terms(24)
    records = list(MetricAccumulator(tags=TAGS, every=every).records(first_step=0, rows=rows))
    assert len(records) == 24 // every
    for line in records:
        own = dict(zip(TAGS, rows[line.step - every : line.step].astype(np.float64).T, strict=True))
        for name in "ab":
            counts = own[f"terms/{name}/count"]
            assert line.values[f"terms/{name}/count"] == counts.sum()
            assert line.values[f"terms/{name}/weight"] == pytest.approx(own[f"terms/{name}/weight"].mean(), rel=1e-12)
            assert (f"terms/{name}/raw" in line.values) == (counts.sum() > 0)
            if counts.sum():
                expected = np.average(own[f"terms/{name}/raw"], weights=counts)
                assert line.values[f"terms/{name}/raw"] == pytest.approx(expected, rel=1e-12)
            expected = own[f"terms/{name}/weighted"].mean()
            assert line.values[f"terms/{name}/weighted"] == pytest.approx(expected, rel=1e-12)
        assert line.values["loss/total"] == pytest.approx(own["loss/total"].mean(), rel=1e-6)
        assert line.values["loss/total"] == line.values["terms/a/weighted"] + line.values["terms/b/weighted"]


def test_a_term_adds_to_the_total_of_a_line_what_it_added_to_those_of_the_steps():
    """Of ten steps, one has a value of `b`: its mean is 4, and what it added to the ten totals is 0.4 on average."""
    of_a, of_both = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 8.0, 0.0], [5.0, 1.0, 4.0, 1.0, 1.0, 1.0, 4.0, 8.0, 2.0]
    rows = np.array([of_a] * 6 + [of_both] + [of_a] * 3)
    (line,) = MetricAccumulator(tags=TAGS, every=10).records(first_step=0, rows=rows)
    assert line.values == pytest.approx(dict(zip(TAGS, [1.4, 1.0, 4.0, 1.0, 1.0, 1.0, 0.4, 80.0, 2.0], strict=True)))


@pytest.mark.parametrize("every", [2, 5, 20])
def test_totals_do_not_depend_on_how_many_steps_a_line_has(every):
    rows = steps_of_two_terms(20)
    means = [
        np.mean(
            [
                line.values["loss/total"]
                for line in MetricAccumulator(tags=TAGS, every=n).records(first_step=0, rows=rows)
            ]
        )
        for n in (1, every)
    ]
    assert means[0] == pytest.approx(means[1], rel=1e-12)


def test_where_chunks_end_changes_no_bit():
    one = np.random.default_rng(0).lognormal(sigma=20, size=[100, 1]).astype(np.float32)
    for tags, rows in ((["a"], one), (TAGS, steps_of_two_terms(100))):
        (whole,) = MetricAccumulator(tags=tags, every=100).records(first_step=0, rows=rows)
        for cut in (1, 33, 50, 99):
            metrics = MetricAccumulator(tags=tags, every=100)
            assert not metrics.records(first_step=0, rows=rows[:cut])
            metrics.unfinished(cut)
            assert list(metrics.records(first_step=cut, rows=rows[cut:])) == [whole]


def test_values_pending_for_a_record_are_in_variables():
    rows = np.random.default_rng(0).normal(size=[30, 2])
    first, second = MetricAccumulator(tags=["a", "b"], every=20), MetricAccumulator(tags=["a", "b"], every=20)
    (line,) = MetricAccumulator(tags=["a", "b"], every=20).records(first_step=0, rows=rows[:20])
    first.records(first_step=0, rows=rows[:13])
    for ours, theirs in zip(second.state, first.state, strict=True):
        ours.assign(theirs)
    assert list(second.records(first_step=13, rows=rows[13:20])) == [line]


def test_what_waits_of_other_tags_is_dropped():
    first, second = MetricAccumulator(tags=["a"], every=3), MetricAccumulator(tags=["b", "c"], every=3)
    first.records(first_step=0, rows=np.array([[1.0]]))
    for ours, theirs in zip(second.state, first.state, strict=True):
        ours.assign(theirs)
    (line,) = second.records(first_step=1, rows=np.array([[2.0, 3.0], [4.0, 5.0]]))
    assert line == LogRecord("train", 3, {"b": 3.0, "c": 4.0})


def test_a_value_that_is_not_finite_spoils_only_its_own_line():
    rows = np.array([[1.0], [np.nan], [3.0], [np.inf]])
    values = MetricAccumulator(tags=["a"], every=1).records(first_step=0, rows=rows).values
    np.testing.assert_array_equal(values, rows)


def test_small_numbers_survive_beside_many_of_them():
    metrics = MetricAccumulator(tags=["a"], every=1000)
    rows = np.full([1000, 1], 0.1, np.float32)
    (line,) = metrics.records(first_step=0, rows=rows)
    assert line.values["a"] == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_a_step_whose_update_overflowed_spoils_nothing_of_its_line():
    tags = ["loss/total", "terms/a/raw", "terms/a/weight", "terms/a/weighted", "terms/a/count"]
    tags += ["optimizer/learning_rate", "optimizer/loss_scale", "optimizer/grad_norm"]
    good, later = [4.0, 2.0, 2.0, 4.0, 6.0, 0.1, 1024.0, 3.0], [8.0, 4.0, 2.0, 8.0, 6.0, 0.1, 512.0, 5.0]
    of_the_loss, of_the_gradient = [np.nan, np.inf, 2.0, np.nan, 6.0, 0.1, 1024.0, np.nan], [*good[:-1], np.inf]
    rows = np.array([of_the_loss, good, of_the_gradient, later], np.float32)
    (line,) = MetricAccumulator(tags=tags, every=4).records(first_step=0, rows=rows)
    # Of the first step there is no total; the third one's update alone was left out.
    expected = [16 / 3, 8 / 3, 2.0, 16 / 3, 18.0, 0.1, 3.5 * 1024 / 4, 4.0]
    assert line.values == pytest.approx(dict(zip(tags, expected, strict=True)), rel=1e-6)
    first, *_, last = MetricAccumulator(tags=tags, every=1).records(first_step=0, rows=rows)
    assert first.values == pytest.approx(
        {"loss/total": 0, "terms/a/weight": 2, "terms/a/weighted": 0, "terms/a/count": 0, tags[5]: 0.1, tags[6]: 1024}
    )
    assert last.values == pytest.approx(dict(zip(tags, later, strict=True)))


def test_what_is_cleared_is_in_no_later_record():
    metrics = MetricAccumulator(tags=["a"], every=10)
    assert not metrics.records(first_step=0, rows=np.array([[1.0], [3.0]]))
    metrics.clear()
    assert not metrics.unfinished(2)
    metrics.records(first_step=2, rows=np.array([[5.0]]))
    assert metrics.unfinished(3).last.values == {"a": 5.0}
