"""What a model begins with is told by its values and what is frozen, not by the names that Keras gives."""

import keras
import numpy as np
import pytest

from trainer.settings import initial
from trainer.settings.initial import describe_initial


@pytest.fixture
def made():
    """Makes a model whose weights are 1."""

    def make():
        ones = keras.initializers.Ones()
        layers = [keras.layers.Dense(2, kernel_initializer=ones), keras.layers.BatchNormalization()]
        return keras.Sequential([keras.Input([3]), *layers])

    return make


def test_models_of_equal_weights_begin_alike_and_nothing_is_frozen_by_itself(made):
    found = describe_initial(made())
    assert found == describe_initial(made())
    assert found["frozen layers"] == "none"


@pytest.mark.parametrize("number", range(6))
def test_each_value_counts(made, number):
    model = made()
    weights = model.get_weights()
    weights[number].reshape(-1)[-1] += np.float32(1e-6)
    model.set_weights(weights)
    assert describe_initial(model)["initial weights"] != describe_initial(made())["initial weights"]


def test_of_many_values_some_count(made, monkeypatch):
    monkeypatch.setattr(initial, "_VALUES", 2)
    model = made()
    model.set_weights([weight + 1 for weight in model.get_weights()])
    assert describe_initial(model) != describe_initial(made())


def test_a_frozen_layer_is_told_by_its_place_and_its_weights_are_the_same(made):
    model = made()
    model.layers[0].trainable = False
    assert describe_initial(model) == {**describe_initial(made()), "frozen layers": "layer 1 = Dense"}
