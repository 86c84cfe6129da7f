"""Auto names: layers that Keras numbered are found by the number that they would have in a process of their own."""

import keras
import pytest

from objectives import ConfigurationError
from objectives.context import Context, starred
from trainer.steps.tap import Tap


@pytest.fixture
def build():
    """Builds a model of layers without names of their own, after so many dense layers that are no part of it."""

    def build(others):
        keras.backend.clear_session()
        for _ in range(others):
            keras.layers.Dense(1)
        inner = keras.Sequential([keras.Input([2]), keras.layers.Dense(3)])
        return keras.Sequential([keras.Input([2]), inner, keras.layers.Dense(1), keras.layers.Dense(4, name="head")])

    return build


@pytest.mark.slow
@pytest.mark.parametrize("others", [0, 3])
def test_a_key_finds_the_same_layer_and_weights_whatever_keras_counted_before(build, others):
    model = build(others)
    tap = Tap(model, ["activations.dense_1", "activations.sequential/dense", "activations.head"])
    made = tap(keras.ops.ones([5, 2]), training=False)
    found = {name: activation.shape[1] for name, activation in made.activations.items()}
    assert found == {"dense_1": 1, "sequential/dense": 3, "head": 4}
    own = next(variable.path for variable in model.variables)
    first = build(0).variables[0].path
    assert Tap(model, [f"weights.{first}"]).weights[first].path == own


@pytest.mark.slow
def test_the_names_that_layers_have_are_names_too(build):
    made = Tap(build(3), ["activations.dense_4"])(keras.ops.ones([5, 2]), training=False)
    assert set(made.activations) == {"dense_4"}


def test_a_name_that_is_that_of_two_layers_is_refused():
    layers = [keras.layers.Dense(4, name=name) for name in ("dense_1", "dense_2")]
    model = keras.Sequential([keras.Input([2]), *layers])
    for key in ("activations.dense_1", "activations.dense_*"):
        with pytest.raises(ConfigurationError, match="'dense_1'.* by the names that Keras gave.*name='hidden'"):
            Tap(model, [key])
    made = Tap(model, ["activations.dense*"])(keras.ops.ones([5, 2]), training=False)
    assert [*made.activations] == ["dense", "dense_1"]


@pytest.mark.parametrize("other", ["sequential/dense/kernel", "sequential_3/dense_3/kernel"])
def test_a_star_has_each_weight_once_by_its_name_in_a_process_of_its_own(other):
    layers = [keras.layers.Dense(size, name=f"dense_{3 + i}") for i, size in enumerate([4, 5])]
    model = keras.Sequential([keras.Input([2]), *layers], name="sequential_3")
    tap = Tap(model, ["weights.*kernel", f"weights.{other}"])
    found = starred("weights.*kernel", Context(weights=tap.weights))
    assert [*found.values()] == ["weights.sequential/dense/kernel", "weights.sequential/dense_1/kernel"]
    assert tap.weights[other] is layers[0].kernel
