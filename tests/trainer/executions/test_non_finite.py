"""Numbers that are not finite: what is counted of them."""

import pytest

from objectives import ConfigurationError
from trainer.executions.non_finite import NonFinitePolicy


def test_skipped_batches_move_all_later_steps_on():
    policy = NonFinitePolicy("skip", limit=3)
    assert policy.batch(5) == 5
    policy.skip()
    policy.skip()
    assert policy.batch(5) == 7
    assert policy.counts == {"non_finite/skips": 2, "non_finite/rollbacks": 0}


def test_behind_a_rollback_the_batches_that_follow_come():
    policy = NonFinitePolicy("rollback", limit=3)
    policy.roll_back(batch=policy.batch(7), rollbacks=policy.rollbacks, step=4)
    assert policy.batch(4) == 8
    assert policy.rollbacks == 1


def test_a_limit_is_spent_once_it_is_reached():
    policy = NonFinitePolicy("skip", limit=2)
    for spent in (False, False, True):
        assert policy.spent == spent
        policy.skip()
    assert NonFinitePolicy("raise", limit=2).spent


def test_an_unknown_policy_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigurationError, match="Trainer.non_finite is 'skp'; did you mean 'skip'?"):
        NonFinitePolicy("skp", limit=1)
