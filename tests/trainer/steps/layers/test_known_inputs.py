"""Known inputs: what a model takes is known before it is called, and it is given the inputs of its own names."""

import keras
import numpy as np
import pytest

from trainer.steps.layers.known_inputs import declared_inputs, known_inputs, taken
from trainer.steps.tap import Tap


class Own(keras.Model):
    """A model with a call of its own, which takes whatever it is given."""

    def call(self, inputs):
        return inputs


@pytest.fixture
def tens():
    """A model that adds what it takes as `a` to ten times what it takes as `c`."""
    x = {name: keras.Input([1], name=name) for name in ("a", "c")}
    return keras.Model(x, x["a"] + 10.0 * x["c"])


def test_a_model_of_layers_tells_its_inputs_and_one_of_its_own_those_that_it_was_built_with(tens):
    assert {name: one.shape for name, one in known_inputs(tens).items()} == {"a": (None, 1), "c": (None, 1)}
    model = Own()
    assert known_inputs(model) is None
    model(np.ones([7, 3]))
    assert known_inputs(model).shape == (None, 3)
    assert declared_inputs(model) is None


def test_inputs_between_those_that_a_model_takes_do_not_move_the_others(tens):
    x = {name: np.full([2, 1], value, np.float32) for name, value in (("a", 1), ("b", 5), ("c", 2))}
    outputs, *_ = Tap(tens, ["outputs"])(x, training=True)
    np.testing.assert_array_equal(outputs, [[21.0], [21.0]])


def test_a_call_of_its_own_gets_all_inputs(tens):
    class Adding(keras.Model):
        def call(self, inputs):
            return inputs["a"] + inputs["b"]

    given = {"a": 1, "b": 2, "c": 3}
    assert taken(Adding(tens.inputs, tens.outputs), given) == given
    assert taken(tens, [1, 2]) == [1, 2]
