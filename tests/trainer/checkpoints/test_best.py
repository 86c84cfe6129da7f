"""Best: evaluations are compared by one value, and what cannot be compared is never the best."""

import math

import pytest

from trainer.checkpoints.best import Best, changed_parts
from trainer.reports.log import LogRecord


def record(value, step=1, tag="metrics/auc"):
    return LogRecord("eval", step, {tag: value})


@pytest.mark.parametrize("metric", ["metrics/auc", "-metrics/auc"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_never_the_best(metric, value):
    assert not Best(metric).is_beaten_by(record(value))
    assert not Best(metric, record(0.5)).is_beaten_by(record(value))
    assert not Best(metric).is_beaten_by(record(0.5, tag="metrics/other"))


def test_the_first_that_can_be_compared_is_the_best_until_it_is_beaten():
    best = Best("-metrics/auc")
    assert best.step is None
    assert best.is_beaten_by(record(0.5))
    best.record = record(0.5, step=20)
    assert [best.is_beaten_by(record(value)) for value in (0.4, 0.5, 0.6)] == [False, False, True]
    assert (best.step, str(best)) == (20, "metrics/auc 0.5 at step 20")


def test_without_a_metric_there_is_none():
    assert not Best(None).is_beaten_by(record(0.5))


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ("terms/data/raw", ["other evaluation data", "another objective"]),
        ("loss/total", ["other evaluation data", "another objective"]),
        ("metrics/auc", ["other evaluation data", "another metric 'auc'"]),
        ("metrics/auc/0", ["other evaluation data", "another metric 'auc'"]),
        ("metrics/aucs", ["other evaluation data"]),
        ("measures/bias", ["other evaluation data"]),
    ],
)
def test_what_cannot_be_compared_is_told_by_what_decides_the_value(tag, told):
    was, now = (dict.fromkeys(("evaluation data", "objective", "metrics/auc"), text) for text in "ab")
    assert changed_parts(tag, was, now) == told
    assert changed_parts(tag, was, was) == changed_parts(tag, {}, now) == changed_parts(tag, was, {}) == []
