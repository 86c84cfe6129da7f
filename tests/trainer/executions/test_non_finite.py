"""Numbers that are not finite: what is counted of them."""

import pytest

from objectives import ConfigurationError
from trainer.executions.non_finite import NonFinitePolicy


def test_skipped_batches_move_all_later_steps_on():
    guard = NonFinitePolicy("skip", limit=3)
    assert guard.batch(5) == 5
    guard.skip()
    guard.skip()
    assert guard.batch(5) == 7
    assert guard.counts == {"non_finite/skips": 2, "non_finite/rollbacks": 0}


def test_behind_a_rollback_the_batches_that_follow_come():
    guard = NonFinitePolicy("rollback", limit=3)
    guard.roll_back(batch=guard.batch(7), rollbacks=guard.rollbacks, step=4)
    assert guard.batch(4) == 8
    assert guard.rollbacks == 1


def test_a_limit_is_spent_once_it_is_reached():
    guard = NonFinitePolicy("skip", limit=2)
    for spent in (False, False, True):
        assert guard.spent == spent
        guard.skip()
    assert NonFinitePolicy("raise", limit=2).spent


def test_an_unknown_policy_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigurationError, match="Trainer.non_finite is 'skp'; did you mean 'skip'?"):
        NonFinitePolicy("skp", limit=1)
