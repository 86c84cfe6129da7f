"""Clipping: bounds on the gradient of the whole batch, on any number of replicas and parts."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import MeanSquaredError, Objective
from trainer import ArraySource
from trainer.steps.clipping import Clipping


@pytest.fixture
def change(make_trainer, data, replicas):
    """What one step of SGD(1.0), which takes the gradient as it is, adds to the weights; the gradient is large."""
    far = ArraySource(data["x"], data["y"] + 100.0)

    def run(count=1, parts=1, **more):
        settings = {"strategy": replicas(count), "accumulate_steps": parts, "train": far, "steps": 1, **more}
        trainer = make_trainer(optimizer=keras.optimizers.SGD(1.0), **settings)
        before = np.concatenate([w.ravel() for w in trainer.model.get_weights()])
        trainer.train()
        return np.concatenate([w.ravel() for w in trainer.model.get_weights()]) - before

    return run


CUTS = [
    (1, 1),
    (2, 1),
    *(pytest.param(*cut, marks=pytest.mark.slow) for cut in [(1, 3), (3, 2)]),
]


@pytest.mark.parametrize(("count", "parts"), CUTS)
def test_a_gradient_clipped_at_1_moves_the_weights_by_1(change, count, parts):
    assert np.linalg.norm(change(count, parts, clip_norm=1.0)) == pytest.approx(1.0, rel=1e-6)


@pytest.mark.slow
def test_values_are_clipped_after_all_replicas_and_parts_are_added_up(change):
    free = change()
    expected = np.clip(free, -0.5, 0.5)
    assert 0 < np.sum(np.abs(free) > 0.5) < len(free)
    np.testing.assert_allclose(change(3, 2, clip_value=0.5), expected, atol=2e-5)


def test_values_are_clipped_before_the_norm():
    gradients = [tf.constant([30.0, 0.0]), tf.constant([[-0.5]])]
    clipped = Clipping(value=1.0, norm=0.5)(gradients)
    expected = 0.5 * np.array([1.0, 0.0, -0.5]) / np.sqrt(1.25)
    np.testing.assert_allclose(np.concatenate([np.ravel(g) for g in clipped]), expected, rtol=1e-6)


def test_a_gradient_within_its_bounds_stays_as_it_is():
    gradients = [tf.constant([0.3, -0.4])]
    np.testing.assert_array_equal(Clipping(value=1.0, norm=1.0)(gradients)[0], gradients[0])
    np.testing.assert_array_equal(Clipping()(gradients)[0], gradients[0])


def test_a_gradient_of_zeros_stays_zero():
    np.testing.assert_array_equal(Clipping(norm=1.0)([tf.zeros([3])])[0], np.zeros(3))


@pytest.mark.parametrize("clipping", [{"clip_norm": 0.5}, {"clip_value": 1e21, "clip_norm": 0.5}])
@pytest.mark.parametrize("execution", ["graph", pytest.param("xla_loop", marks=pytest.mark.slow)])
def test_a_gradient_whose_squares_overflow_is_clipped_as_any_other(change, data, execution, clipping):
    far = ArraySource(data["x"], np.full_like(data["y"], 1e10))
    moved = change(execution=execution, train=far, objective=Objective(data=MeanSquaredError(weight=1e13)), **clipping)
    assert np.linalg.norm(moved) == pytest.approx(0.5, rel=1e-5)
