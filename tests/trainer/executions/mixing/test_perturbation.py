"""Unsettling: weights leave 0, what may not be below 0 does not go there, and equal examples are equal no more."""

import keras
import numpy as np
import pytest

from trainer.executions.mixing.perturbation import perturb, round_off, rounded_off, set_apart, variables_of


@pytest.fixture
def model():
    """A model with weights of 0, statistics, a counter and a random generator."""
    layers = [keras.layers.Dense(3, kernel_initializer="zeros"), keras.layers.BatchNormalization()]
    return keras.Sequential([keras.Input([2]), *layers, keras.layers.Dropout(0.5)])


def test_no_weight_is_0_and_no_variance_is_below_it(model):
    generator = model.layers[-1].seed_generator.state.numpy()
    perturb(variables_of(model))
    kernel, _, _, _, mean, variance = (v.numpy() for v in model.layers[0].variables + model.layers[1].variables)
    assert np.all(kernel != 0.0)
    assert len(np.unique(kernel)) == kernel.size
    assert np.all(mean != 0.0)
    assert np.all(variance > 1.0)
    assert np.all(model.layers[-1].seed_generator.state.numpy() == generator)


def test_whole_numbers_are_the_same_once_they_are_cut(model):
    model.layers[1].moving_mean.assign([0.0, 7.0, 3.0])
    perturb(variables_of(model))
    assert model.layers[1].moving_mean.numpy().astype(int).tolist() == [0, 7, 3]


def test_an_error_of_rounding_is_one(model):
    model.layers[1].gamma.assign([1.0, -2.0, 0.0])
    round_off(variables_of(model), 2.0**-10)
    np.testing.assert_allclose(model.layers[1].gamma, [1.0, -2.0, 0.0], rtol=2.0**-9)
    assert np.all(model.layers[1].gamma.numpy()[:2] != [1.0, -2.0])
    assert rounded_off({"id": np.array([3])}, 0.1)["id"].tolist() == [3]


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0])
def test_equal_numbers_are_set_apart_within_their_range(value):
    inputs = np.full([4, 2], value, np.float32)
    moved = set_apart({"inputs": inputs, "targets": {"id": np.full(4, 3)}})
    assert len(np.unique(moved["inputs"])) == 8
    assert moved["inputs"].dtype == np.float32
    np.testing.assert_allclose(moved["inputs"], inputs, rtol=0.1, atol=0.1 if value == 0.0 else 0.0)
    assert moved["targets"]["id"].tolist() == [3, 3, 3, 3]
