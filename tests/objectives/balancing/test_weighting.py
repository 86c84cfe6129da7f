"""What methods are given: values, and numbers about gradients that replicas may share."""

import numpy as np
import pytest
import tensorflow as tf

from objectives.balancing import TermGradients
from tests.objectives.balancing.methods import values_of

JACOBIAN = np.random.default_rng(0).normal(size=(3, 10)).astype(np.float32)
NUMBERS = {
    "gram": JACOBIAN @ JACOBIAN.T,
    "norms": np.linalg.norm(JACOBIAN, axis=1),
    "mean_sizes": np.abs(JACOBIAN).mean(axis=1),
    "largest": np.abs(JACOBIAN).max(axis=1),
    "spreads": JACOBIAN.std(axis=1),
}


def gradients_of(columns, **reductions):
    """The gradients of a matrix and a vector, which have these columns between them."""
    of_terms = [[tf.constant(row[:4].reshape(2, 2)), tf.constant(row[4:])] for row in JACOBIAN[:, columns]]
    return TermGradients(of_terms, values_of([1, 2, 3]), **reductions)


@pytest.mark.parametrize("name", NUMBERS)
def test_padding_counts_for_nothing(name):
    padded = [[tf.concat([tf.constant(row), tf.zeros([30])], axis=0)] for row in JACOBIAN]
    gradients = TermGradients(padded, values_of([1, 2, 3]), real_share=lambda: 0.25)
    np.testing.assert_allclose(getattr(gradients, name), NUMBERS[name], rtol=1e-5)


def test_weighted_values_are_values_times_weights_and_0_without_a_weight():
    values = values_of([1, np.inf, 3], weights=[2, 0, -1])
    assert values.weighted.numpy().tolist() == [2, 0, -3]


def test_a_value_is_known_that_has_a_weight_is_counted_and_finite():
    counted = [True, True, False, True]
    assert (
        values_of([1, 1, 1, np.nan], weights=[1, 0, 1, 1], counted=counted).known.numpy().tolist()
        == [True] + [False] * 3
    )


def test_numbers_about_gradients_are_those_of_numpy():
    gradients = gradients_of(np.s_[:])
    for name, expected in NUMBERS.items():
        np.testing.assert_allclose(getattr(gradients, name), expected, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", NUMBERS)
def test_replicas_that_share_gradients_find_the_numbers_of_the_whole(name):
    others = []

    def recorded(number):
        others.append(number)
        return number

    getattr(gradients_of(np.s_[5:], add_up=recorded, largest_of=recorded), name)
    # What a reduction over replicas does: it asks the others for the same number.
    shared = gradients_of(
        np.s_[:5],
        add_up=lambda number: number + others.pop(0),
        largest_of=lambda number: tf.maximum(number, others.pop(0)),
    )
    np.testing.assert_allclose(getattr(shared, name), NUMBERS[name], rtol=1e-5)
