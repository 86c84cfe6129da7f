"""What a model is made of: settings count, whatever Keras numbered and wherever it was built; weights do not."""

import subprocess
import sys

import keras
import pytest

from trainer.settings.architecture import describe_model


class Scale(keras.layers.Layer):
    """A layer of a user's own."""

    def __init__(self, factor, **settings):
        super().__init__(**settings)
        self.factor = factor

    def call(self, inputs):
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
    assert first == second and "digest" in first
