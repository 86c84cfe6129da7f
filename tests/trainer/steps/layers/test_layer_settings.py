"""Layer settings: all plain attributes count by their values, and nothing that a layer keeps while it works."""

import dataclasses
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.steps.layers.layer_settings import describe_value, settings_of


@dataclasses.dataclass
class Options:
    rate: float


class Plain:
    def __init__(self, rate):
        self.rate = rate


def by(factor):
    return lambda x: factor * x


PAIRS = [
    (1.0, 3.0),
    (1, True),
    ("a", "b"),
    (None, 0),
    ((1, [2.0]), (1, [3.0])),
    ({"a": {1}}, {"a": {2}}),
    (np.ones(3), 3 * np.ones(3)),
    (np.ones(3), np.ones(3, np.float32)),
    (tf.constant([1.0]), tf.constant([2.0])),
    (tf.constant(["a few words"]), tf.constant(["other words"])),
    ([np.zeros(2)], [np.ones(2)]),
    (by(1.0), by(2.0)),
    (keras.activations.relu, keras.activations.tanh),
    (keras.regularizers.L2(0.1), keras.regularizers.L2(0.2)),
    (keras.constraints.MaxNorm(1), keras.constraints.MaxNorm(2)),
    (Options(0.1), Options(0.2)),
    (Plain(0.1), Plain(0.2)),
    (types.SimpleNamespace(a=1), types.SimpleNamespace(a=2)),
    (keras.layers.Dense, keras.layers.Conv1D),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_values_that_differ_have_another_text(one, other):
    assert describe_value(one) == describe_value(one)
    assert describe_value(one) != describe_value(other)


def test_a_handle_has_no_value_to_read():
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([0], [1]), 0)
    assert describe_value(Plain(table.resource_handle)) == "Plain(rate=tensor of resource)"


def test_a_value_inside_of_itself_ends():
    value = []
    value.append(value)
    plain = Plain(value)
    plain.self = plain
    assert describe_value(value) == "[list]"
    assert describe_value(plain) == "Plain(rate=[list], self=Plain)"


class Counting(keras.layers.Layer):
    """A layer that counts its calls, in `call` and in a method that this names."""

    scale = 2.0

    def __init__(self):
        super().__init__()
        self.calls = self._last = 0
        self._factor, self.table = 1.0, np.ones(3)
        self.inner, self.weight = keras.layers.Dense(2), keras.Variable([1.0])

    def build(self, shape):
        self.inner.build(shape)

    def set_factor(self, factor):
        self._factor = factor

    def call(self, inputs):
        self._count()
        return inputs * self._factor * self.table * self.scale

    def _count(self):
        self.calls += 1
        self._last = self.calls


def test_settings_are_all_that_calls_read_and_do_not_write():
    layer = Counting()
    before = settings_of(layer)
    assert {"_factor", "table", "scale"} <= before.keys()
    assert not {"calls", "_last", "inner", "weight", "built", "_path"} & before.keys()
    layer(np.ones([2, 3], np.float32))
    assert settings_of(layer) == before
    layer.set_factor(3.0)
    assert {name for name, text in settings_of(layer).items() if text != before[name]} == {"_factor"}


def test_a_model_that_is_compiled_and_fit_has_the_settings_it_had(data):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.factor, self.dense = 2.0, keras.layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs) * self.factor

    model = Model()
    model(data["x"])
    before = settings_of(model)
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(data["x"], data["y"], verbose=0)
    model.predict(data["x"], verbose=0)
    assert settings_of(model) == before
    assert before["factor"] == "2.0"
