"""Checks of gradients: wrong ones are caught, kinks are no mistake, and the precision may be that of float32."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import FunctionTerm, RangeHinge, WeightDecay
from objectives.testing.check import Fault, NotApplicable
from objectives.testing.gradients import dead_gradient, gradient, kinks


@tf.custom_gradient
def _of_another_sign(x):
    return x**2, lambda slope: -2 * x * slope


def test_a_wrong_gradient_of_ones_own_is_caught(subject_of):
    with pytest.raises(Fault, match="the gradient by y_pred is .* where the value changes by"):
        gradient(subject_of(FunctionTerm(fn=lambda y_pred: _of_another_sign(y_pred))))


def test_at_a_kink_a_gradient_between_both_sides_is_sound(subject_of):
    bounds = np.float32([[-1.0, 1.0], [0.0, 3.0]])
    gradient(subject_of(RangeHinge(), {"y_pred": bounds}))
    gradient(subject_of(FunctionTerm(fn=lambda y_pred: tf.abs(y_pred)), {"y_pred": np.zeros([2, 2])}))
    with pytest.raises(Fault, match="the gradient by y_pred"):
        gradient(
            subject_of(FunctionTerm(fn=lambda y_pred: 3 * tf.abs(y_pred) + _beyond(y_pred)), {"y_pred": bounds * 0})
        )


@tf.custom_gradient
def _beyond(x):
    return tf.zeros_like(x), lambda slope: 9 * slope


def test_a_formula_in_float32_is_differentiated_in_float32(subject_of):
    assert gradient(subject_of(FunctionTerm(fn=lambda y_pred: tf.constant(2.0) * y_pred**2))).endswith("in float32")
    assert gradient(subject_of(WeightDecay())).endswith("in float64")


def test_a_gradient_that_stops_far_out_is_caught(subject_of):
    stopped = FunctionTerm(fn=lambda y_pred: tf.where(tf.abs(y_pred) < 3, y_pred, tf.stop_gradient(y_pred)) ** 2)
    with pytest.raises(Fault, match=r"the gradient by y_pred is 0 at .* of numbers up to"):
        gradient(subject_of(stopped))
    gradient(subject_of(FunctionTerm(fn=lambda y_pred: tf.sigmoid(10 * y_pred))))


def test_a_part_in_float32_is_differentiated_in_float32(subject_of):
    model = keras.Sequential([keras.Input([4]), keras.layers.Dense(3, "tanh")])
    called = FunctionTerm(fn=lambda model, inputs, y_pred: (tf.cast(model(inputs), y_pred.dtype) - y_pred) ** 2)
    subject = subject_of(called, {"model": model}, shapes={"inputs": (5, 4), "y_pred": (5, 3)})
    assert gradient(subject).endswith("in float32")
    part = FunctionTerm(fn=lambda y_pred: y_pred**2 + tf.cast(tf.tanh(tf.cast(y_pred, tf.float32)), y_pred.dtype))
    assert gradient(subject_of(part)).endswith("in float32")
    wrong = FunctionTerm(fn=lambda y_pred: tf.cast(_of_another_sign(tf.cast(y_pred, tf.float32)), y_pred.dtype))
    with pytest.raises(Fault, match="where the value changes by"):
        gradient(subject_of(wrong))


def test_a_cross_entropy_is_differentiated_with_distributions_where_targets_were_drawn(subject_of):
    entropy = FunctionTerm(fn=lambda y_true, y_pred: tf.nn.softmax_cross_entropy_with_logits(y_true, y_pred))
    assert gradient(subject_of(entropy)).endswith("with distributions over the last axis for y_true")
    assert gradient(subject_of(entropy, {"y_true": np.eye(4)[[0, 1, 2, 3, 0]]})).endswith("in float64")


def test_targets_that_were_drawn_are_named_where_they_may_be_the_fault(subject_of):
    with pytest.raises(Fault, match="'y_true' was drawn at random: .* for distributions over classes"):
        gradient(subject_of(FunctionTerm(fn=lambda y_true, y_pred: y_true * _of_another_sign(y_pred))))


def test_at_kinks_the_stated_gradient_is_required(subject_of):
    at = {"outputs": np.float32([-1.0, 0.0, 3.0])}
    assert kinks(subject_of(RangeHinge(), kinks=[(at, {"outputs": np.float32([0, 0, 1 / 3])})])) == "1 as stated"
    with pytest.raises(Fault, match="the gradient by y_pred at a kink, eagerly, is 0 where -1 is expected"):
        kinks(subject_of(RangeHinge(), kinks=[(at, {"outputs": np.float32([-1, 0, 1 / 3])})]))


def test_a_gradient_may_be_0_where_the_numbers_happen_to_be(subject_of):
    assert dead_gradient(subject_of(RangeHinge(), {"y_pred": [[0.5], [0.2]]})) == "by y_pred"
    with pytest.raises(Fault, match=r"the gradient by y_pred is 0 everywhere.*tf.argmax"):
        dead_gradient(subject_of(FunctionTerm(fn=lambda y_pred: tf.cast(tf.argmax(y_pred, axis=1), tf.float32))))


def test_a_gradient_may_reach_the_weights_of_a_model_alone(subject_of):
    shapes, dense = {"inputs": (5, 3)}, keras.Sequential([keras.Input([3]), keras.layers.Dense(2)])
    rounded = FunctionTerm(fn=lambda model, inputs: model(tf.round(inputs)))
    assert dead_gradient(subject_of(rounded, {"model": dense}, shapes=shapes)) == "by weights of the model"
    with pytest.raises(NotApplicable, match="the function that stands in for the model has no weights"):
        dead_gradient(subject_of(rounded, {"model": lambda inputs: inputs}))
    stopped = FunctionTerm(fn=lambda model, inputs: tf.stop_gradient(model(inputs)))
    with pytest.raises(Fault, match="the gradient by inputs, model is 0 everywhere"):
        dead_gradient(subject_of(stopped, {"model": dense}, shapes=shapes))


def test_a_term_of_data_alone_trains_nothing(subject_of):
    with pytest.raises(Fault, match="no read comes from a model"):
        dead_gradient(subject_of(FunctionTerm(fn=lambda y_true: y_true)))


def test_a_derivative_of_the_model_that_is_0_trains_nothing(subject_of):
    keys = {"curvature": "gradients.outputs/inputs/inputs", "y_pred": "outputs"}
    bent = FunctionTerm(fn=lambda curvature, y_pred: curvature**2 + y_pred**2, keys_of=keys)
    assert dead_gradient(subject_of(bent)) == "by curvature, y_pred"
    with pytest.raises(Fault, match="curvature = 'gradients.outputs/inputs/inputs' is 0 in all examples .* ReLU"):
        dead_gradient(subject_of(bent, {"curvature": np.zeros([5, 4])}))
