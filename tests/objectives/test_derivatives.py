"""Derivatives: those of functions known in closed form, and of networks by other ways to differentiate them."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Context
from objectives.derivatives import Derivatives

X = np.random.default_rng(0).normal(size=(5, 2))


@pytest.fixture
def differentiated(compile_as):
    """Computes derivatives, by key, of what a function makes of inputs: fields of a context by their names."""

    def of(make, inputs, *keys):
        @compile_as
        def run(inputs):
            derivatives = Derivatives(keys)
            with derivatives.recorded(inputs):
                made = make(inputs)
            return dict(derivatives.of(Context(inputs=inputs, **made)))

        found = run(tf.nest.map_structure(tf.constant, inputs))
        return {f"gradients.{path}": tensor.numpy() for path, tensor in found.items()}

    return of


def test_derivatives_of_two_inputs_to_the_third_order_are_those_of_the_formula(differentiated):
    x, t = X[:, :1], X[:, 1:]
    keys = {
        "gradients.outputs/inputs.x": np.cos(x) * t**3,
        "gradients.outputs/inputs.t": np.sin(x) * 3 * t**2,
        "gradients.outputs/inputs.x/inputs.x": -np.sin(x) * t**3,
        "gradients.outputs/inputs.x/inputs.t": np.cos(x) * 3 * t**2,
        "gradients.outputs/inputs.t/inputs.x": np.cos(x) * 3 * t**2,
        "gradients.outputs/inputs.t/inputs.t/inputs.t": np.sin(x) * 6,
    }
    made = differentiated(lambda at: {"outputs": tf.sin(at["x"]) * at["t"] ** 3}, {"x": x, "t": t}, *keys)
    for key, expected in keys.items():
        np.testing.assert_allclose(made[key], expected, rtol=1e-12, err_msg=key)


def test_several_values_of_an_example_have_its_jacobian_and_one_has_the_shape_of_what_it_is_taken_by(differentiated):
    matrix = np.random.default_rng(1).normal(size=(2, 3))
    keys = "gradients.outputs.many/inputs", "gradients.outputs.one/inputs", "gradients.outputs.flat/inputs/inputs"

    def make(x):
        squares = (x**2) @ tf.constant(matrix)
        return {"outputs": {"many": squares, "one": squares[:, :1], "flat": squares[:, 0]}}

    made = differentiated(make, X, *keys)
    many, one, hessian = (made[key] for key in keys)
    np.testing.assert_allclose(many, 2 * X[:, None, :] * matrix.T, rtol=1e-12)
    np.testing.assert_allclose(one, 2 * X * matrix[:, 0], rtol=1e-12)
    np.testing.assert_allclose(hessian, np.tile(2 * np.diag(matrix[:, 0]), [5, 1, 1]), rtol=1e-12, atol=1e-12)


def test_the_jacobian_of_maps_is_that_of_tensorflow():
    convolution = keras.layers.Conv2D(2, 2, activation="tanh")
    x = tf.random.stateless_normal([3, 3, 4, 1], [1, 2])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = convolution(x)
    expected = tape.batch_jacobian(y, x)
    derivatives = Derivatives(["gradients.outputs/inputs"])
    with derivatives.recorded(x):
        y = convolution(x)
    found = derivatives.of(Context(inputs=x, outputs=y))["outputs/inputs"]
    assert found.shape == (3, 2, 3, 2, 3, 4, 1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_a_tensor_between_is_differentiated_and_differentiated_by(differentiated):
    keys = "gradients.outputs/activations.h", "gradients.activations.h/inputs"

    def make(x):
        h = tf.exp(x)
        return {"outputs": tf.reduce_sum(h**2, axis=1), "activations": {"h": h}}

    made = differentiated(make, X, *keys)
    np.testing.assert_allclose(made[keys[0]], 2 * np.exp(X), rtol=1e-12)
    np.testing.assert_allclose(made[keys[1]], np.exp(X)[:, :, None] * np.eye(2), rtol=1e-12)


def test_a_star_has_the_derivative_of_each_tensor(differentiated):
    made = differentiated(lambda x: {"outputs": {"a": x[:, 0], "b": x[:, 1] ** 2}}, X, "gradients.outputs.*/inputs")
    np.testing.assert_allclose(made["gradients.outputs.a/inputs"], np.tile([1.0, 0.0], [5, 1]))
    np.testing.assert_allclose(made["gradients.outputs.b/inputs"], np.stack([0 * X[:, 1], 2 * X[:, 1]], 1))


def test_the_second_derivative_of_a_linear_function_is_0(differentiated):
    made = differentiated(lambda x: {"outputs": 3.0 * x[:, :1]}, X, "gradients.outputs/inputs/inputs")
    np.testing.assert_array_equal(made["gradients.outputs/inputs/inputs"], np.zeros([5, 2, 2]))


def test_an_empty_batch_has_empty_derivatives(differentiated):
    made = differentiated(lambda x: {"outputs": tf.sin(x)}, X[:0], "gradients.outputs/inputs")
    assert made["gradients.outputs/inputs"].shape == (0, 2, 2)


def test_each_derivative_is_computed_once_however_many_read_it_or_build_on_it():
    keys = ["gradients.outputs/inputs", "gradients.outputs/inputs/inputs", "gradients.outputs/inputs/inputs/inputs"]

    @tf.function
    def run(x):
        derivatives = Derivatives(keys)
        with derivatives.recorded(x):
            y = tf.exp(x)
        found = derivatives.of(Context(inputs=x, outputs=y))
        return [found[key.partition(".")[2]] for key in (*keys, *keys)]

    graph = run.get_concrete_function(tf.TensorSpec([None, 1])).graph
    assert sum(operation.type == "Exp" for operation in graph.get_operations()) == 1


@pytest.mark.parametrize(
    ("make", "key", "answer"),
    [
        (lambda x: {"outputs": tf.ones_like(x)}, "gradients.outputs/inputs", "'outputs' does not depend on 'inputs'"),
        (lambda x: {"outputs": tf.stop_gradient(x)}, "gradients.outputs/inputs", "by operations that have a gradient"),
        (lambda x: {"outputs": tf.argmax(x, 1)}, "gradients.outputs/inputs", "'outputs' is of int64 (5,)"),
        (lambda x: {"outputs": tf.reduce_sum(x)}, "gradients.outputs/inputs", "floats with an axis of examples"),
        (lambda x: {"outputs": tf.tile(x, [1, 129])}, "gradients.outputs/inputs", "(5, 258), and each value of an"),
        (lambda x: {"outputs": x}, "gradients.outputs.u/inputs", "'outputs' is one tensor and has no part 'u'"),
    ],
)
def test_a_derivative_that_does_not_exist_is_refused(make, key, answer):
    derivatives, x = Derivatives([key]), tf.constant(X)
    with derivatives.recorded(x):
        made = make(x)
    with pytest.raises(ConfigurationError, match=re.escape(answer)):
        derivatives.of(Context(inputs=x, **made))


def test_a_second_derivative_by_what_the_function_does_not_depend_on_is_refused():
    derivatives = Derivatives(["gradients.outputs/inputs.x/inputs.t"])
    inputs = {"x": tf.constant(X), "t": tf.constant(X)}
    with derivatives.recorded(inputs):
        outputs = tf.reduce_sum(inputs["x"] ** 2, axis=1)
    with pytest.raises(ConfigurationError, match=re.escape("'outputs' does not depend on 'inputs.t'")):
        derivatives.of(Context(inputs=inputs, outputs=outputs))


def test_what_is_derived_by_several_is_the_whole_derivative_by_each(differentiated):
    keys = "gradients.outputs/inputs", "gradients.outputs/activations.h"
    made = differentiated(lambda x: {"activations": {"h": (h := x**2)}, "outputs": tf.reduce_sum(h**2, 1)}, X, *keys)
    np.testing.assert_allclose(made[keys[0]], 4 * X**3, rtol=1e-12)
    np.testing.assert_allclose(made[keys[1]], 2 * X**2, rtol=1e-12)


def test_derivatives_by_several_take_one_pass_back():
    @tf.function
    def run(inputs):
        derivatives = Derivatives(["gradients.outputs/inputs.x", "gradients.outputs/inputs.t"])
        with derivatives.recorded(inputs):
            y = tf.tanh(tf.concat([inputs["x"], inputs["t"]], 1) @ tf.ones([2, 1]))
        return dict(derivatives.of(Context(inputs=inputs, outputs=y)))

    inputs = dict.fromkeys("xt", tf.TensorSpec([None, 1]))
    operations = run.get_concrete_function(inputs).graph.get_operations()
    assert sum(operation.type == "TanhGrad" for operation in operations) == 1
