"""What a model is made of: settings count, whatever Keras numbered and wherever it was built; weights do not."""

import functools
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.settings.architecture import describe_model


class Scale(keras.layers.Layer):
    """A layer of a user's own, with an attribute of each kind and a count of its calls."""

    def __init__(self, factor, private=1.0, table=None, options=None, activation=None, **settings):
        super().__init__(**settings)
        self.factor, self._private, self.table, self.options = factor, private, table, options
        self.activation, self.calls = activation, 0

    def call(self, inputs):
        self.calls += 1
        return self.factor * inputs


def model_of(*layers):
    return keras.Sequential([keras.Input([4]), *layers])


CHANGES = {
    "an activation": (lambda: keras.layers.Dense(2), lambda: keras.layers.Dense(2, activation="tanh")),
    "a rate": (lambda: keras.layers.Dropout(0.1), lambda: keras.layers.Dropout(0.2)),
    "a layer inside of another": (
        lambda: keras.layers.SpectralNormalization(keras.layers.Dense(2)),
        lambda: keras.layers.SpectralNormalization(keras.layers.Dense(2, activation="relu")),
    ),
    "a function": (lambda: keras.layers.Lambda(lambda x: x + 1), lambda: keras.layers.Lambda(lambda x: x + 2)),
    "an attribute of a layer of one's own": (lambda: Scale(1.0), lambda: Scale(2.0)),
    "a private attribute": (lambda: Scale(1.0), lambda: Scale(1.0, private=3.0)),
    "an array": (lambda: Scale(1.0, table=np.ones(4)), lambda: Scale(1.0, table=3 * np.ones(4))),
    "a table": (lambda: Scale(1.0, options={"a": [1]}), lambda: Scale(1.0, options={"a": [2]})),
    "a function that is an attribute": (
        lambda: Scale(1.0, activation=lambda x: x + 1),
        lambda: Scale(1.0, activation=lambda x: x + 2),
    ),
    "a nested model": (
        lambda: model_of(keras.layers.Dense(2)),
        lambda: model_of(keras.layers.Dense(2, "relu")),
    ),
}


@pytest.mark.parametrize(("one", "other"), CHANGES.values(), ids=CHANGES.keys())
def test_another_setting_is_another_model_and_another_name_is_not(one, other):
    described = describe_model(model_of(one()))
    assert describe_model(model_of(one())) == described
    assert describe_model(model_of(other())) != described


def test_the_code_of_a_layer_and_of_a_model_of_ones_own_counts(monkeypatch):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.scale = Scale(2.0)

        def call(self, inputs):
            return self.scale(inputs)

    before = describe_model(Model())
    assert describe_model(Model()) == before
    monkeypatch.setattr(Scale, "call", lambda self, inputs: self.factor + inputs)
    changed = describe_model(Model())
    assert changed != before
    monkeypatch.setattr(Model, "call", lambda self, inputs: -self.scale(inputs))
    assert describe_model(Model()) not in (before, changed)


def test_an_attribute_of_a_model_of_ones_own_counts():
    class Model(keras.Model):
        def __init__(self, shift):
            super().__init__()
            self._shift = shift

        def call(self, inputs):
            return inputs + self._shift

    assert describe_model(Model(1.0)) == describe_model(Model(1.0)) != describe_model(Model(2.0))


@pytest.mark.parametrize("holder", [staticmethod, property, functools.cached_property, tf.function])
def test_what_a_layer_of_ones_own_holds_by_a_decorator_counts(holder):
    def described(by):
        kind = type("Own", (Scale,), {"__module__": __name__, "factor_of": holder(lambda *arguments: by)})
        return describe_model(model_of(kind(2.0)))

    assert described(1.0) == described(1.0) != described(2.0)


def test_calls_are_no_part_of_it():
    model = model_of(Scale(2.0))
    before = describe_model(model)
    model(np.ones([2, 4], np.float32))
    assert describe_model(model) == before


def test_weights_are_no_part_of_it():
    model = model_of(keras.layers.Dense(2))
    before = describe_model(model)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    assert describe_model(model) == before


@pytest.mark.slow
def test_another_process_finds_the_same():
    code = (
        "import keras; from trainer.settings.architecture import describe_model; "
        "layers = keras.layers; layers.Dense(1); "
        "print(describe_model(keras.Sequential([keras.Input([4]), layers.Dense(2), layers.Lambda(lambda x: x + 1)])))"
    )
    first, second = (subprocess.check_output([sys.executable, "-c", code], text=True) for _ in range(2))
    assert first == second
    assert "digest" in first
