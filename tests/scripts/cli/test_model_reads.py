"""What a term reads of a model: shapes by key as the model makes them, and what holds no floats as it is."""

import keras
import numpy as np
import pytest

from objectives import ActivationPenalty, ConfigurationError, Consistency, FunctionTerm, Orthogonality
from termwise.cli.model_reads import reads_of


@pytest.fixture
def model():
    layers = [keras.Input([6]), keras.layers.Dense(4, "tanh", name="hidden"), keras.layers.Dense(2, name="head")]
    return keras.Sequential(layers, name="net")


class Unbuilt(keras.Model):
    def __init__(self):
        super().__init__()
        self.head = keras.layers.Dense(2)

    def call(self, inputs):
        return self.head(inputs)


def of_inputs(model, inputs):
    return model(inputs)


def test_shapes_are_those_that_the_model_makes(model):
    read = FunctionTerm(
        fn=lambda slope, hidden, kernel, y_true, y_pred: 0.0 * y_pred,
        keys_of={
            "slope": "gradients.outputs/inputs",
            "hidden": "activations.hidden",
            "kernel": "weights.net/head/kernel",
            "y_true": "targets",
            "y_pred": "outputs",
        },
    )
    given, shapes = reads_of(read, model, {})
    assert given == {}
    assert shapes == {
        "gradients.outputs/inputs": (5, 2, 6),
        "activations.hidden": (5, 4),
        "weights.net/head/kernel": (4, 2),
        "outputs": (5, 2),
    }


def test_a_derivative_that_is_0_for_the_model_is_given(model):
    bent = FunctionTerm(fn=lambda bend: bend, keys_of={"bend": "gradients.outputs/inputs/inputs"})
    assert reads_of(bent, model, {})[0] == {}
    rectified = keras.Sequential([keras.Input([6]), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
    given, shapes = reads_of(bent, rectified, {})
    assert not np.any(given["gradients.outputs/inputs/inputs"])
    assert shapes == {}


@pytest.mark.parametrize(
    ("term", "shape"),
    [(ActivationPenalty(activation="activations.h*"), (5, 4)), (Orthogonality(variable="weights.*kernel"), (4, 2))],
)
def test_a_star_stands_for_the_first_tensor_that_matches(model, term, shape):
    assert [*reads_of(term, model, {})[1].values()] == [shape]


def test_the_model_is_given_and_shapes_that_are_asked_for_decide(model):
    given, shapes = reads_of(Consistency(), model, {"y_pred": (7, 2)})
    assert shapes == {"inputs": (7, 6), "outputs": (7, 2)}
    np.testing.assert_allclose(given["model"](np.ones([3, 6])), model(np.ones([3, 6])))


def test_labels_are_given_as_labels():
    words = keras.Sequential([keras.Input([6], dtype="int32"), keras.layers.Embedding(2, 3)])
    given, shapes = reads_of(FunctionTerm(fn=of_inputs), words, {})
    assert shapes == {}
    assert (given["inputs"].dtype.name, given["inputs"].shape) == ("int32", (5, 6))


def test_a_model_that_does_not_say_what_it_takes_is_given_a_shape():
    called = FunctionTerm(fn=of_inputs)
    with pytest.raises(ConfigurationError, match=r"does not say which inputs it takes; give .*--shapes=inputs=5x8"):
        reads_of(called, Unbuilt(), {})
    assert reads_of(called, Unbuilt(), {"inputs": (4, 3)})[1] == {"inputs": (4, 3)}


def test_inputs_of_another_shape_are_refused_with_what_the_model_was_given(model):
    with pytest.raises(ConfigurationError, match=r"the model was given inputs \(5, 7\); --shapes gives it others"):
        reads_of(FunctionTerm(fn=of_inputs), model, {"inputs": (5, 7)})


def test_several_inputs_at_once_are_refused_and_one_of_them_is_read():
    inputs = {name: keras.Input([size], name=name) for name, size in (("a", 3), ("b", 2))}
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.concatenate([*inputs.values()])))
    with pytest.raises(ConfigurationError, match=r"inputs is 2 tensors \(inputs.a, inputs.b\), of which a check"):
        reads_of(Consistency(), model, {})
    one = FunctionTerm(fn=lambda b, y_pred: b * y_pred, keys_of={"b": "inputs.b", "y_pred": "outputs"})
    assert reads_of(one, model, {})[1] == {"inputs.b": (5, 2), "outputs": (5, 1)}


def test_a_layer_that_does_not_exist_is_told(model):
    with pytest.raises(ConfigurationError, match="did you mean 'activations.hidden'"):
        reads_of(ActivationPenalty(activation="activations.hiden"), model, {})
