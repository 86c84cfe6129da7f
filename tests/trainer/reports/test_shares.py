"""Shares: of what drives training, in each interval and of late."""

import numpy as np
import pytest

from trainer.reports import shares
from trainer.reports.history import History
from trainer.reports.log import LogRecord, LogRecords


def history_of(*records):
    """The history of records of the terms `a` and `b`, each value by `<term>_<what>`."""
    history = History()
    for step, values in enumerate(records, start=1):
        tags = {f"terms/{tag.replace('_', '/', 1)}": value for tag, value in values.items()}
        history.add(LogRecords.of(LogRecord("train", step, tags)))
    return history


VALUES = {"a_weighted": 3.0, "b_weighted": -1.0, "a_weight": 1.0, "b_weight": 1.0}
BALANCED = VALUES | {"a_effective_weight": 1.0, "b_effective_weight": 9.0}


@pytest.mark.parametrize(
    ("records", "of", "share"),
    [
        ([VALUES], shares.VALUE, 0.75),
        ([BALANCED], shares.BALANCED, 0.25),
        ([BALANCED | {"a_grad_norm": 3.0, "b_grad_norm": 2.0}, BALANCED], shares.GRADIENT, 0.6),
        # A run that resumed with a balancer, and one that resumed without.
        ([VALUES, BALANCED], shares.BALANCED, 0.25),
        ([BALANCED, VALUES], shares.VALUE, 0.75),
    ],
)
def test_shares_are_of_gradients_or_else_of_values_with_their_latest_factors(records, of, share):
    history = history_of(*records)
    assert shares.shared(history, ["a", "b"]) == of
    assert shares.late_shares(history, ["a", "b"], of) == pytest.approx({"a": share, "b": 1 - share})


def test_an_interval_without_values_has_no_shares():
    history = history_of(VALUES, VALUES | {"a_weighted": 0.0, "b_weighted": 0.0})
    found = shares.interval_shares(history, ["a", "b"], shares.VALUE)
    np.testing.assert_equal(found, [[0.75, np.nan], [0.25, np.nan]])


def test_late_is_the_latest_quarter_of_what_is_known_or_the_latest_few():
    known = np.array([[True] * 8 + [False] * 4, [False] * 12])
    assert shares.late(known).tolist() == [6, 7]
    assert shares.late(known, at_least=3).tolist() == [5, 6, 7]
    assert shares.late(~known[:, :0]).tolist() == []
