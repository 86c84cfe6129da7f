"""Turns: an update that is due is the one of an ordinary step; one that is not changes nothing on any replica."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.executions.turns import take_turn
from trainer.steps.train_step import Turn


@pytest.mark.parametrize("settings", [{}, {"count": 2}, {"count": 2, "average_momentum": 0.5}], ids=str)
def test_a_turn_that_is_not_due_changes_nothing_and_counts_nothing(make_full_program, settings):
    program, _ = make_full_program(batch_size=6, **settings)
    feed, tags = program.data.train_feed, program.tags
    with program.step.adoption.at_work():

        @tf.function(autograph=False)
        def take(data, number):
            return take_turn(Turn(program.step, every=3), feed, data, tf.constant(0), number)

        data = feed.peek(0).data
        take.get_concrete_function(data, tf.constant(0, tf.int64))
        before = program.step.state.arrays()
        left_out = dict(zip(tags, take(data, tf.constant(4, tf.int64)).numpy(), strict=True))
        after = program.step.state.arrays()
        assert all(np.array_equal(before[name], after[name]) for name in before)
        taken = dict(zip(tags, take(data, tf.constant(3, tf.int64)).numpy(), strict=True))
        moved = program.step.state.arrays()
    assert not any(np.array_equal(before[name], moved[name]) for name in before if name.startswith("model/"))
    for tag, value in left_out.items():
        if tag.endswith(("/weight", "learning_rate")):  # of which that of one term falls from step to step
            assert value == pytest.approx(taken[tag]) or tag.startswith("terms/scheduled")
        else:
            assert value == 0
    assert taken["terms/masked/count"] > 0


def test_due_turns_make_the_updates_of_a_program(make_full_program):
    program, model = make_full_program(batch_size=6)
    program.train(first_step=0, steps=1)
    other, same = make_full_program(batch_size=6)
    with other.step.adoption.at_work():

        @tf.function(autograph=False)
        def take(data):
            number = tf.constant(0, tf.int64)
            return take_turn(Turn(other.step, every=2), other.data.train_feed, data, tf.constant(0), number)

        take(other.data.train_feed.peek(0).data)
    for expected, found in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
