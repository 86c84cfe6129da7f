"""Limits: a violation is told that is more than the noise of a limit that is held."""

import numpy as np
import pytest

from trainer.reports.history import History
from trainer.reports.limits import has_limit, late_violation
from trainer.reports.log import LogRecords

LIMIT = 0.15


def history_of(values):
    """The history of a term of these values over the steps, under a limit."""
    columns = np.stack([values, np.array(values) - LIMIT], axis=1)
    history = History()
    tags = ("terms/a/raw", "terms/a/violation")
    history.add(LogRecords("train", np.arange(1, len(values) + 1), tags, columns))
    return history


def test_a_term_that_stays_above_its_limit_violates_it_by_the_mean_of_late():
    assert late_violation(history_of([*[0.9] * 60, *[0.4, 0.5] * 10]), "a") == pytest.approx(0.45 - LIMIT)


@pytest.mark.parametrize("seed", range(5))
def test_a_limit_that_is_held_in_noise_is_not_violated(seed):
    noise = np.random.default_rng(seed).normal(scale=0.05, size=400)
    assert late_violation(history_of(LIMIT + noise - noise[-100:].mean()), "a") == 0.0


def test_less_than_a_twentieth_of_the_limit_is_no_violation():
    assert late_violation(history_of([1.049 * LIMIT] * 40), "a") == 0.0
    assert late_violation(history_of([1.051 * LIMIT] * 40), "a") == pytest.approx(0.051 * LIMIT)


def test_a_limit_that_is_met_is_not_violated_and_a_term_without_one_has_none():
    history = history_of([0.1] * 8)
    assert (has_limit(history, "a"), late_violation(history, "a")) == (True, 0.0)
    assert (has_limit(history, "b"), late_violation(history, "b")) == (False, 0.0)
