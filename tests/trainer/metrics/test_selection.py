"""Selection: padding and what masks hide are left out of a batch, whatever they hold."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Context
from objectives.readings import recording
from trainer.metrics.selection import Read, counted, refuse_unfit, selected


def test_padding_a_mask_and_the_mask_of_keras_hide_together():
    outputs = tf.ones([3, 2])
    outputs._keras_mask = tf.constant([[True, False], [True, True], [True, True]])
    context = Context(outputs=outputs, targets=tf.constant([[1.0], [0.0], [1.0]]), valid=tf.constant([1.0, 1.0, 0.0]))
    shown, poison = counted("targets", "outputs", context)
    assert shown.numpy().tolist() == [[True, False], [False, False], [False, False]]
    assert float(poison) == 0.0
    assert counted(None, None, Context(outputs=outputs))[0] is None


def test_a_mask_of_other_numbers_than_0_and_1_is_told_where_it_counts():
    context = Context(targets=tf.constant([0.5, 1.0]), valid=tf.constant([1.0, 1.0]))
    with recording() as readings:
        assert np.isnan(float(counted("targets", None, context)[1]))
    assert "what counts in part belongs in sample_weight" in readings[0].expected
    assert float(counted("targets", None, Context(targets=tf.constant([0.5]), valid=tf.constant([0.0])))[1]) == 0.0


def test_what_does_not_count_is_gone_and_weights_are_those_of_positions():
    shown = tf.constant([[True, False], [True, True]])
    tensors = {
        "y_pred": tf.reshape(tf.range(8), [2, 2, 2]),
        "sample_weight": tf.constant([1.0, 2.0]),
        "step": tf.constant(7),
    }
    found = selected(Read(tensors, shown, tf.constant(0.0)), {"y_pred", "sample_weight"})
    assert found["y_pred"].numpy().tolist() == [[0, 1], [4, 5], [6, 7]]
    assert found["sample_weight"].numpy().tolist() == [1.0, 2.0, 2.0]
    assert int(found["step"]) == 7


def test_a_mask_that_fits_only_some_of_what_is_read_is_refused():
    refuse_unfit(tf.ones([2, 3]), {"y_pred": tf.ones([2, 3, 4]), "sample_weight": tf.ones([2])})
    with pytest.raises(ConfigurationError, match=r"^its mask has the shape \(2, 3\) and y_true has \(2,\); expected"):
        refuse_unfit(tf.ones([2, 3]), {"y_pred": tf.ones([2, 3]), "y_true": tf.ones([2])})
