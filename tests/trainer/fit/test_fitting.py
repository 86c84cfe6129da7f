"""Fitting: one batch is trained on and evaluated by the terms, and leaves the optimizer as Keras knows it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError


def test_an_update_is_made_and_measured(make_fitting, dense_model, data):
    model = dense_model()
    fitting = make_fitting(model)
    run = tf.function(fitting.train, autograph=False)
    with fitting.at_work():
        out = run((data["x"], data["y"]))
    np.testing.assert_allclose(out, dense_model()(data["x"]), rtol=1e-5, atol=1e-6)
    values = fitting.terms.result()
    np.testing.assert_allclose(values["terms/data/raw"], np.mean((out - data["y"]) ** 2), rtol=1e-5)
    assert not np.array_equal(model.get_weights()[0], dense_model().get_weights()[0])
    fitting.require_finite()


def test_the_optimizer_sums_over_replicas_by_itself_again_afterwards(make_fitting):
    optimizer = keras.optimizers.SGD(0.1)
    fitting = make_fitting(optimizer=optimizer)
    with fitting.at_work():
        assert "_all_reduce_sum_gradients" in vars(optimizer)
    assert "_all_reduce_sum_gradients" not in vars(optimizer)


def test_evaluation_changes_nothing_that_layers_keep(make_fitting, dense_model, data):
    model = dense_model(lambda: keras.layers.BatchNormalization())
    before = model.get_weights()
    fitting = make_fitting(model)
    tf.function(fitting.evaluate, autograph=False)((data["x"], data["y"]))
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_stars_are_found_before_the_first_step(make_fitting, dense_model, starred, some):
    model = dense_model(lambda: keras.layers.Dense(4, name="hidden_two"))
    examples = tuple(some.arrays.values())
    spec = tf.data.Dataset.from_tensor_slices(examples).batch(4).element_spec
    before = model.get_weights()
    values = make_fitting(model, starred, spec=spec).terms.result()
    assert {"terms/small/hidden/raw", "terms/small/hidden_two/raw", "terms/decay/head/kernel/raw"} <= {*values}
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_optimizer_of_other_variables_is_refused(make_fitting, dense_model):
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(dense_model().trainable_variables)
    with pytest.raises(ConfigurationError, match="is in use already.*expected a new optimizer"):
        make_fitting(optimizer=optimizer)
