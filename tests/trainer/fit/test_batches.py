"""Batches: what Keras hands to a step has the names by which terms read it, and nothing of it is left unread."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, MeanSquaredError, Objective
from trainer.fit.batches import batch_of, refuse_unread, without_weights

PLAIN = Objective(data=MeanSquaredError())
WEIGHTED = Objective(data=MeanSquaredError(sample_weight="sample_weight"), other=MeanSquaredError(weight=0.1))


def test_a_batch_has_the_parts_that_were_given():
    assert batch_of((1, None, 3), PLAIN) == {"inputs": 1, "sample_weight": 3}
    assert batch_of({"a": 1}, PLAIN) == {"inputs": {"a": 1}}


def test_one_weight_that_keras_repeats_for_each_target_is_one_tensor():
    weight = tf.constant([1.0, 2.0])
    batch = batch_of((1, {"a": 1, "b": 2}, {"a": weight, "b": weight}), WEIGHTED)
    np.testing.assert_array_equal(batch["sample_weight"], weight)
    differ = batch_of((1, {"a": 1, "b": 2}, {"a": weight, "b": 2 * weight}), WEIGHTED)
    assert np.isnan(differ["sample_weight"]).all()


def test_weights_that_are_read_one_by_one_stay_apart():
    objective = Objective(data=MeanSquaredError(sample_weight="sample_weight.a"))
    batch = batch_of((1, {"a": 1, "b": 2}, {"a": 3, "b": 4}), objective)
    assert batch["sample_weight"] == {"a": 3, "b": 4}
    with pytest.raises(ConfigurationError, match=r"a sample_weight\.b that no term reads"):
        refuse_unread(objective, batch)


def test_weights_are_read_by_some_term():
    refuse_unread(WEIGHTED, {"sample_weight": 1})
    refuse_unread(PLAIN, {"inputs": 1})
    with pytest.raises(ConfigurationError, match="by sample_weight or class_weight"):
        refuse_unread(PLAIN, {"sample_weight": 1})


def test_only_what_weighs_examples_is_left_out_without_weights():
    term = FunctionTerm(fn=lambda y_pred, sample_weight: y_pred * sample_weight, sample_weight="targets.w")
    objective = without_weights(Objective(data=MeanSquaredError(sample_weight="sample_weight.a"), kept=term))
    assert objective.terms["data"] == MeanSquaredError()
    assert objective.terms["kept"] == term
