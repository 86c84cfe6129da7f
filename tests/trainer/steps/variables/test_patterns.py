"""Patterns name variables by their own paths, by those of their layers in the model, and by the order of layers."""

import keras
import pytest

from objectives import ConfigurationError
from trainer.steps.variables.patterns import matching, names_of_variables


def paths(pattern, model):
    return [variable.path for variable in matching(pattern, names_of_variables(model), model)]


@pytest.fixture
def nested():
    """A model around a functional model, whose variables keep the paths that they have in that one."""
    inputs = keras.Input([3])
    inner = keras.Model(inputs, keras.layers.Dense(4, name="hidden")(inputs), name="inner")
    return keras.Sequential([keras.Input([3]), inner, keras.layers.Dense(2, name="head")], name="whole")


def test_a_pattern_matches_whole_paths(dense_model):
    model = dense_model()
    assert paths("hidden/.*", model) == ["hidden/kernel", "hidden/bias"]
    assert paths(".*/bias", model) == ["hidden/bias", "head/bias"]
    for part in ("hidden", "kernel"):
        with pytest.raises(ConfigurationError, match=f"'{part}' matches no whole path"):
            paths(part, model)


def test_a_variable_of_a_nested_model_has_the_path_of_its_layer_too(nested):
    assert paths("inner/.*", nested) == paths("hidden/.*", nested) == ["hidden/kernel", "hidden/bias"]
    assert paths("head/.*", nested) == paths("whole/.*", nested) == ["whole/head/kernel", "whole/head/bias"]


def test_a_pattern_that_matches_nothing_tells_of_the_nearest(dense_model):
    with pytest.raises(ConfigurationError, match=r"'hiden/\.\*' matches no whole path; did you mean 'hidden/\.\*'"):
        paths("hiden/.*", dense_model())


def unnamed(count):
    return keras.Sequential([keras.Input([1]), *(keras.layers.Dense(1) for _ in range(count))])


def test_layers_that_keras_numbered_are_found_in_a_model_that_is_built_once_more():
    for _ in range(2):
        model = unnamed(2)
        assert paths("dense_1/.*", model) == [variable.path for variable in model.variables[2:]]
        keras.layers.Dense(1)


def test_a_number_that_means_another_layer_by_the_order_is_refused():
    keras.backend.clear_session()  # numbers begin anew
    unnamed(1)
    with pytest.raises(
        ConfigurationError, match="'dense_1/kernel' by a name that Keras gave by counting, and 'dense_2"
    ):
        paths("dense_1/kernel", unnamed(3))
