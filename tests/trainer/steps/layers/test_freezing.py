"""Freezing: inside of it layers are frozen as by `trainable = False`, and afterwards all have their own flags."""

import keras
import pytest

from trainer.steps.layers.freezing import frozen


@pytest.fixture
def model():
    """A nested model in which one layer, and one variable of another, are frozen."""
    inner = keras.Sequential([keras.Input([2]), *(keras.layers.Dense(2, name=name) for name in "ab")], name="inner")
    inner.get_layer("a").trainable = False
    inner.get_layer("b").bias.trainable = False
    return keras.Sequential([keras.Input([2]), inner, keras.layers.Dense(1, name="head")])


def flags(model):
    return [thing.trainable for thing in (*model._flatten_layers(), *model.variables)]


def test_inner_layers_are_frozen_too_and_all_is_as_before_afterwards(model):
    before = flags(model)
    with frozen(model, [model.get_layer("inner")]):
        assert [variable.path.split("/")[-2] for variable in model.trainable_variables] == ["head"] * 2
    assert flags(model) == before
    with pytest.raises(ArithmeticError), frozen(model, [model.get_layer("inner"), model.get_layer("head")]):
        assert model.trainable_variables == []
        raise ArithmeticError
    assert flags(model) == before
