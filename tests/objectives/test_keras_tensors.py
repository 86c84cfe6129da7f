"""What Keras keeps on a tensor is kept where the tensor is changed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from objectives.keras_tensors import changed, keras_logits, keras_mask, require_unactivated

LOGITS = tf.constant([[0.0, 200.0, -200.0]])


@pytest.mark.parametrize("activation", [keras.ops.softmax, keras.ops.sigmoid], ids=["softmax", "sigmoid"])
def test_logits_are_changed_as_their_tensor(compile_as, activation):
    @compile_as
    def run(logits):
        found = changed(activation(logits), lambda x: x + 1.0)
        return found, keras_logits(found)

    probabilities, logits = run(LOGITS)
    np.testing.assert_allclose(probabilities, activation(LOGITS) + 1.0)
    np.testing.assert_allclose(logits, LOGITS + 1.0)


@pytest.mark.parametrize("activation", [tf.nn.softmax, tf.nn.sigmoid], ids=["Softmax", "Sigmoid"])
def test_an_operation_that_keras_looks_behind_stays_the_last_one(activation):
    @tf.function
    def run(logits):
        found = changed(activation(logits), lambda x: x + 1.0)
        assert found.op.type.lower() == activation.__name__.split("_")[0]
        return found, found.op.inputs[0]

    probabilities, logits = run(LOGITS)
    np.testing.assert_allclose(probabilities, activation(LOGITS + 1.0), rtol=1e-6)
    np.testing.assert_allclose(logits, LOGITS + 1.0)


def test_a_mask_is_kept_and_what_has_none_is_given_none():
    tensor = tf.identity(LOGITS)
    assert keras_mask(changed(tensor, tf.identity)) is None
    tensor._keras_mask = tf.constant([True])
    assert keras_mask(changed(tensor, tf.identity)) is tensor._keras_mask


PREPARATIONS = {
    "cast": lambda x: tf.cast(tf.cast(x, tf.float16), tf.float32),
    "hidden": lambda x: tf.where(x > 0.5, x, tf.zeros_like(x)),
    "copied": tf.identity,
}


@pytest.mark.parametrize("prepare", PREPARATIONS.values(), ids=PREPARATIONS.keys())
def test_an_activation_is_found_behind_what_prepares_a_tensor_for_a_term(prepare):
    @tf.function(autograph=False)
    def run(logits):
        require_unactivated("y_pred", prepare(tf.nn.softmax(logits)), "Softmax", expected="logits")

    with pytest.raises(ConfigurationError, match="y_pred comes from softmax; expected logits: name the layer below"):
        run(LOGITS)


def test_other_activations_and_what_was_computed_from_one_are_accepted():
    @tf.function(autograph=False)
    def run(logits):
        for tensor in (logits, tf.nn.relu(logits), 2.0 * tf.nn.softmax(logits), tf.nn.sigmoid(logits)):
            require_unactivated("y_pred", tensor, "Softmax", expected="logits")

    run(LOGITS)
