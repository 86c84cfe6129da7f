"""Further passes in terms: gradients by weights as nested tapes have them, structured inputs, mistakes by name."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Consistency, Context, VirtualAdversarial
from objectives.example_draws import normal

RNG = np.random.default_rng(0)
X = tf.constant(RNG.normal(size=[6, 4]), tf.float32)
KERNEL = RNG.normal(size=[4, 3]).astype(np.float32)


def double(inputs, step):
    return 2 * inputs


@pytest.fixture
def weights():
    return tf.Variable(KERNEL)


@pytest.fixture
def slope(weights, compile_as):
    """Differentiates what a function makes of a model by the weights of it, in each execution."""

    def run(function, model):
        @compile_as
        def differentiated():
            with tf.GradientTape() as tape:
                value = function(model)
            return value, tape.gradient(value, weights)

        return differentiated()

    return run


def mean(term, model, inputs=X):
    return term.mean(Context(inputs=inputs, outputs=model(inputs), model=model, step=tf.constant(3))).result()


def divergence(first, second):
    return tf.reduce_mean(
        tf.reduce_sum(tf.nn.softmax(first) * (tf.math.log(tf.nn.softmax(first) / tf.nn.softmax(second))), 1)
    )


@pytest.mark.parametrize("both", [False, True])
def test_the_own_outputs_are_the_target_or_move_too(slope, weights, both):
    value, gradient = slope(lambda model: mean(Consistency(augment=double, both=both), model), lambda x: x @ weights)
    outputs = X.numpy().astype(np.float64) @ KERNEL
    np.testing.assert_allclose(value, np.mean(outputs**2), rtol=1e-5)
    np.testing.assert_allclose(gradient, (1 if both else 2) * X.numpy().T @ (2 * outputs) / outputs.size, rtol=1e-5)


@pytest.mark.parametrize("settings", [{}, {"radius": 0.5, "iterations": 3, "seed": 4}])
def test_virtual_adversarial_is_that_of_tapes_by_hand(slope, weights, settings):
    def model(x):
        return tf.tanh(x @ weights) * [3.0, 2.0, 1.0]

    def by_hand(model):
        change = tf.linalg.normalize(normal(X, 3, settings.get("seed", 0)), axis=1)[0]
        for _ in range(settings.get("iterations", 1)):
            with tf.GradientTape() as tape:
                tape.watch(change)
                total = divergence(model(X), model(X + 0.01 * change))
            change = tf.linalg.normalize(tape.gradient(total, change), axis=1)[0]
        change = tf.stop_gradient(change)
        return divergence(tf.stop_gradient(model(X)), model(X + settings.get("radius", 1.0) * change))

    value, gradient = slope(lambda model: mean(VirtualAdversarial(**settings), model), model)
    expected, expected_gradient = slope(by_hand, model)
    np.testing.assert_allclose(value, expected, rtol=1e-4)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-3, atol=1e-5)


def test_the_direction_is_the_one_of_most_change():
    def model(x):
        return x * [10.0, 0.1, 0.0]

    inputs = tf.zeros([5, 3])
    value = mean(VirtualAdversarial(radius=0.1, iterations=5), model, inputs)
    along = divergence(tf.zeros([1, 3]), tf.constant([[1.0, 0.0, 0.0]]))
    against = divergence(tf.zeros([1, 3]), tf.constant([[-1.0, 0.0, 0.0]]))
    assert min(along, against) - 1e-3 < value < max(along, against) + 1e-3


def test_structured_inputs_are_changed_together_and_whole_numbers_are_left():
    def model(inputs):
        assert inputs["id"].dtype == tf.int32
        found = tf.concat([inputs["a"], inputs["b"][:, 0]], axis=1)
        return {"class": found + 0.0 * tf.cast(inputs["id"], tf.float32), "other": tf.zeros([6, 1])}

    inputs = {"a": X[:, :2], "b": X[:, tf.newaxis, 2:], "id": tf.ones([6, 1], tf.int32)}
    found = mean(VirtualAdversarial(y_pred="outputs.class"), model, inputs)
    assert found > 0.01
    np.testing.assert_allclose(found, mean(VirtualAdversarial(), lambda x: x), rtol=1e-5)


@pytest.mark.parametrize("term", [Consistency, VirtualAdversarial])
def test_only_an_output_is_compared(term):
    with pytest.raises(ConfigurationError, match="y_pred is 'activations.h'; expected one output"):
        term(y_pred="activations.h")


@pytest.mark.parametrize("term", [Consistency(of_logits=True), VirtualAdversarial()])
def test_logits_are_of_two_classes_or_more(term):
    with pytest.raises(ConfigurationError, match="expected logits .* of 2 classes or more"):
        mean(term, lambda x: x[:, :1])


def test_inputs_of_whole_numbers_have_no_direction():
    with pytest.raises(ConfigurationError, match="expected an input of floats"):
        mean(VirtualAdversarial(), lambda x: tf.cast(x, tf.float32), tf.ones([4, 2], tf.int32))


def test_augmented_inputs_give_outputs_of_the_same_shape():
    with pytest.raises(ConfigurationError, match=r"\(6, 4\) and that of changed inputs has \(6, 2\)"):
        mean(Consistency(augment=lambda inputs, step: inputs[:, :2]), lambda x: x)
