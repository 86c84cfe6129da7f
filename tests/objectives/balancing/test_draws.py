"""Random numbers that all replicas share."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from objectives.balancing import draws
from tests.objectives.contexts import MODES


@pytest.mark.parametrize("mode", ["graph", pytest.param("xla", marks=pytest.mark.slow)])
def test_draws_are_the_same_in_every_execution(mode):
    def draw(count):
        return draws.uniform([50], count, seed=3), draws.orders(5, count, seed=3)

    for found, expected in zip(MODES[mode](draw)(tf.constant(7)), draw(7), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_another_count_or_seed_draws_other_numbers():
    first, later, other = (draws.uniform([3], *at).numpy() for at in ((0, 0), (1, 0), (0, 1)))
    assert len({*first, *later, *other}) == 9


def test_uniform_and_normal_numbers_have_their_distributions():
    assert scipy.stats.kstest(draws.uniform([5000], 0, 0), "uniform").pvalue > 0.01
    assert scipy.stats.kstest(draws.normal(5000, 0, 0), "norm").pvalue > 0.01


def test_every_order_comes_as_often():
    draw = MODES["graph"](lambda count: draws.orders(3, count, 0))
    orders = np.concatenate([draw(tf.constant(count)) for count in range(300)])
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 6
    assert scipy.stats.chisquare(counts).pvalue > 0.01
