"""Assertions: a user's own are known by their place, at any depth of a graph; those of libraries are none of them."""

import pytest
import tensorflow as tf

from objectives.assertions import assertions


def places(function):
    traced = tf.function(lambda x: (function(x), x)[1], autograph=False)
    return assertions(traced.get_concrete_function(tf.TensorSpec([None, 8, 8, 1])).graph)


@tf.function
def inner(x):
    tf.debugging.assert_all_finite(x, "no")
    return x


@pytest.mark.parametrize(
    "function",
    [
        lambda x: tf.debugging.assert_less(x, 1.0),
        lambda x: tf.debugging.Assert(tf.reduce_max(x) < 1, ["no"]),
        lambda x: tf.debugging.check_numerics(x, "no"),
        lambda x: tf.map_fn(inner, x),
        lambda x: tf.cond(tf.reduce_max(x) > 0, lambda: inner(x), lambda: x),
    ],
)
def test_a_users_own_assertion_is_known_by_its_place(function):
    (place,) = places(function)
    assert "test_assertions.py, line " in place


def test_what_a_library_asserts_for_itself_is_not_the_users():
    assert not places(lambda x: tf.image.ssim(x, x, 1.0, filter_size=3))
    assert not places(lambda x: x[:, 0])
