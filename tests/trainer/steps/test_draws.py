"""Draws: those of Keras on a CPU, and the same under XLA."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from trainer.steps.draws import reproducible_draws

SHAPES = [(7,), (33, 4, 2)]
FLOATING = ("uniform", "normal", "truncated", "dropout")
DRAWS = {
    "uniform": lambda shape, dtype, seed: keras.random.uniform(shape, -1.0, 3.0, dtype=dtype, seed=seed),
    "normal": lambda shape, dtype, seed: keras.random.normal(shape, 1.0, 2.0, dtype=dtype, seed=seed),
    "truncated": lambda shape, dtype, seed: keras.random.truncated_normal(shape, dtype=dtype, seed=seed),
    "dropout": lambda shape, dtype, seed: keras.random.dropout(tf.ones(shape, dtype), 0.3, seed=seed),
    "randint": lambda shape, dtype, seed: keras.random.randint(shape, -3, 11, seed=seed),
    "shuffle": lambda shape, dtype, seed: keras.random.shuffle(tf.range(shape[0]), seed=seed),
    "categorical": lambda shape, dtype, seed: keras.random.categorical(tf.zeros([3, 5]), shape[0], seed=seed),
}


def every_draw(seed):
    return {
        (name, shape, dtype): draw(shape, dtype, seed)
        for name, draw in DRAWS.items()
        for shape in SHAPES
        for dtype in (("float32", "float16", "bfloat16") if name in FLOATING else ("float32",))
    }


@pytest.fixture(scope="module")
def drawn():
    """All draws of one seed: Keras's own, and ours as a graph and compiled by XLA."""

    def ours():
        with reproducible_draws():
            return every_draw(1234567)

    return {
        "keras": every_draw(1234567),
        "graph": tf.function(ours, autograph=False)(),
        "xla": tf.function(ours, autograph=False, jit_compile=True)(),
    }


def as_array(tensor):
    return np.asarray(tf.cast(tensor, tf.float64))


@pytest.mark.parametrize("name", DRAWS)
def test_xla_draws_what_the_graph_does(drawn, name):
    # What is computed of the bits is rounded, in half precision coarsely; another bit would show everywhere.
    for key in (key for key in drawn["graph"] if key[0] == name):
        tolerance = 1e-5 if key[2] == "float32" else 2e-2
        exact = name not in ("normal", "truncated")
        found, expected = (as_array(drawn[way][key]) for way in ("xla", "graph"))
        np.testing.assert_allclose(found, expected, atol=0 if exact else tolerance, rtol=0, err_msg=str(key))


@pytest.mark.parametrize("name", ["uniform", "normal", "dropout", "randint", "shuffle"])
def test_they_are_those_of_keras_on_a_cpu(drawn, name):
    for key in (key for key in drawn["graph"] if key[0] == name and key[2] == "float32"):
        found, expected = (as_array(drawn[way][key]) for way in ("graph", "keras"))
        np.testing.assert_allclose(found, expected, atol=5e-6, err_msg=str(key))


def test_dropout_of_any_precision_leaves_out_the_same(drawn):
    for shape in SHAPES:
        masks = [as_array(drawn["graph"]["dropout", shape, dtype]) > 0 for dtype in ("float32", "float16", "bfloat16")]
        np.testing.assert_array_equal(masks[0], masks[1])
        np.testing.assert_array_equal(masks[0], masks[2])


def test_they_have_their_distributions():
    count = [20_000]
    with reproducible_draws():
        uniform, normal, truncated, rounded = (
            as_array(draw(count, "float32", 5)) for draw in (DRAWS[name] for name in [*list(DRAWS)[:3], "randint"])
        )
        classes = as_array(keras.random.categorical(tf.math.log([[0.2, 0.5, 0.3]]), count[0], seed=5))
    assert stats.kstest(uniform, stats.uniform(-1, 4).cdf).pvalue > 0.01
    assert stats.kstest(normal, stats.norm(1, 2).cdf).pvalue > 0.01
    assert stats.kstest(truncated, stats.truncnorm(-2, 2).cdf).pvalue > 0.01
    assert stats.chisquare(np.unique(rounded, return_counts=True)[1]).pvalue > 0.01
    shares = np.unique(classes, return_counts=True)[1]
    assert stats.chisquare(shares, count[0] * np.array([0.2, 0.5, 0.3])).pvalue > 0.01


def test_outside_keras_draws_as_ever_also_where_the_inside_raised():
    with pytest.raises(ConnectionError), reproducible_draws():
        raise ConnectionError
    shape, seed = [4], tf.constant([3, 0])
    expected = tf.random.stateless_truncated_normal(shape, seed)
    np.testing.assert_array_equal(keras.random.truncated_normal(shape, seed=3), expected)
