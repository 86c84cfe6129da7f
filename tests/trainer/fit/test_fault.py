"""Fault: the first update that would not be finite is told with its step and cause, and then forgotten."""

import math

import pytest
import tensorflow as tf

from objectives.readings import Reading
from trainer.executions.non_finite import NonFiniteError
from trainer.fit.fault import Fault
from trainer.fit.fit_step import Outcome

TAGS = ["loss/total", "terms/a/raw", "terms/a/weight", "terms/a/weighted", "optimizer/grad_norm"]
SOUND = [1.0, 1.0, 1.0, 1.0, 1.0]


@pytest.fixture
def fault():
    return Fault(tf.distribute.get_strategy(), TAGS)


def note(fault, step, row, readings=()):
    sound = tf.reduce_all(tf.math.is_finite(row))
    fault.note(Outcome(tf.constant(row), tf.constant(row[-1]), sound, readings), tf.constant(step, tf.int64))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ([math.nan, math.nan, 1.0, math.nan, math.nan], "the raw value of the term 'a' is nan"),
        ([math.inf, 1.0, math.inf, math.inf, 1.0], "the weight of the term 'a' is inf"),
        ([math.inf, 1e30, 1e30, math.inf, 1.0], "the weighted value of the term 'a' is inf"),
        ([math.inf, 1.0, 1.0, 1.0, 1.0], "the sum of the terms overflows"),
        ([1.0, 1.0, 1.0, 1.0, math.nan], "the norm of the gradient is nan"),
    ],
)
def test_the_cause_is_the_first_number_that_is_not_finite(fault, row, told):
    note(fault, 6, row)
    with pytest.raises(NonFiniteError, match=f"the update of step 7 would not be finite, and is not made: {told}"):
        fault.raise_any()


def test_the_first_of_several_is_told_once(fault):
    note(fault, 1, SOUND)
    fault.raise_any()
    for step in (2, 3):
        note(fault, step, [math.nan] * 5)
    assert bool(fault.is_open)
    with pytest.raises(NonFiniteError, match="the update of step 3"):
        fault.raise_any()
    assert not bool(fault.is_open)
    fault.raise_any()


def test_what_is_out_of_range_is_at_fault_for_all_that_depends_on_it(fault):
    fine = Reading("the mask 'm'", "numbers from 0 to 1", tf.ones([2]), tf.zeros([2], tf.bool))
    wrong = Reading("the labels 'y'", "whole numbers from 0 to 2", tf.constant([9, 1]), tf.constant([True, False]))
    note(fault, 0, [math.nan] * 5, [fine, wrong])
    with pytest.raises(NonFiniteError, match="not made: the labels 'y': found 9; expected whole numbers from 0 to 2"):
        fault.raise_any()


def test_replicas_tell_of_their_own_examples(replicas):
    strategy = replicas(2)
    fault = Fault(strategy, TAGS)

    @tf.function
    def run():
        def on_replica():
            number = tf.distribute.get_replica_context().replica_id_in_sync_group
            labels = tf.constant([7]) * number
            note(fault, 4, [math.nan] * 5, [Reading("the labels 'y'", "0 to 2", labels, labels > 2)])

        strategy.run(on_replica)

    run()
    with pytest.raises(NonFiniteError, match="step 5 .*the labels 'y': found 7"):
        fault.raise_any()
