"""Conflicts: found of late, from several measurements of both terms, in whichever order the log has a pair."""

import numpy as np
import pytest

from trainer.reports.conflicts import MEASUREMENTS, conflicts, pair_cosines
from trainer.reports.history import History
from trainer.reports.log import LogRecord, LogRecords


def history_of(*records):
    history = History()
    for step, values in enumerate(records, start=1):
        history.add(LogRecords.of(LogRecord("train", step, values)))
    return history


@pytest.mark.parametrize(
    ("cosines", "mean"),
    [
        # Of 16 measurements the latest 4 tell, of 8 the latest 3, as 2 are chance.
        ([-0.9] * 12 + [0.5] * 4, None),
        ([0.9] * 12 + [-0.5] * 4, -0.5),
        ([0.9] * 5 + [-0.2, -0.4, -0.6], -0.4),
        ([-0.9] * 5 + [-0.2, 0.4, 0.6], None),
    ],
)
def test_terms_that_have_stopped_fighting_do_not_fight_and_those_that_began_do(cosines, mean):
    found = conflicts(history_of(*({"cosines/a/b": cosine} for cosine in cosines)), ["a", "b"], MEASUREMENTS)
    assert found == ({} if mean is None else {pair: pytest.approx(mean) for pair in (("a", "b"), ("b", "a"))})


def test_a_pair_of_which_few_of_the_late_measurements_had_both_terms_is_not_judged():
    of_others = {"cosines/a/c": 0.5}
    history = history_of(*(of_others | ({"cosines/a/b": -0.5} if i % 4 == 0 else {}) for i in range(16)))
    assert conflicts(history, ["a", "b", "c"], MEASUREMENTS) == {}


def test_a_pair_is_found_in_both_orders_and_of_others_nothing_is_known():
    history = history_of({"cosines/a/b": -0.5}, {"cosines/a/b": 0.5})
    for pair in (("a", "b"), ("b", "a")):
        assert pair_cosines(history, *pair).tolist() == [-0.5, 0.5]
    assert np.isnan(pair_cosines(history, "a", "c")).all()
