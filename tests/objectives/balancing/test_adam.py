"""Adam for numbers of terms against Keras."""

import keras
import numpy as np
import tensorflow as tf

from objectives.balancing import adam


def test_numbers_go_where_those_of_keras_go():
    rng = np.random.default_rng(0)
    theirs, optimizer = keras.Variable(np.zeros(3, np.float32)), keras.optimizers.Adam(0.1)
    numbers, kept = tf.zeros([3]), adam.first(3)
    for gradient in rng.normal(size=(10, 3)).astype(np.float32):
        optimizer.apply([gradient], [theirs])
        numbers, kept = adam.updated(numbers, gradient, [True] * 3, kept, 0.1)
    np.testing.assert_allclose(numbers, theirs, atol=1e-5)


def test_a_term_without_a_gradient_stays_as_if_there_had_been_no_step():
    gradients = tf.unstack(tf.random.stateless_normal([10, 1], [0, 0]))
    numbers, kept, alone, kept_alone = tf.zeros([2]), adam.first(2), tf.zeros([1]), adam.first(1)
    for step, gradient in enumerate(gradients):
        has_one = step % 3 == 1
        given = tf.concat([gradient, gradient if has_one else [float("nan")]], axis=0)
        numbers, kept = adam.updated(numbers, given, [True, has_one], kept, 0.1)
        if has_one:
            alone, kept_alone = adam.updated(alone, gradient, [True], kept_alone, 0.1)
    np.testing.assert_array_equal(numbers[1:], alone)
    assert float(numbers[0]) != float(numbers[1])
