"""Empty shards: batch normalization of no examples has finite statistics, and a finite gradient."""

import keras
import numpy as np
import tensorflow as tf

from trainer.fit.empty_shards import finite_where_empty, ordinary_normalization


def test_no_examples_give_no_nan_and_some_give_what_they_gave(dense_model):
    def make():
        return dense_model(lambda: keras.layers.BatchNormalization(name="norm"))

    model, plain = make(), make()
    x = np.ones([4, 3], np.float32) * np.arange(4, dtype=np.float32)[:, None]
    layers = ordinary_normalization(model)
    with finite_where_empty(layers):
        np.testing.assert_array_equal(model(x, training=True), plain(x, training=True))
        for one, other in zip(model.variables, plain.variables, strict=True):
            np.testing.assert_array_equal(one, other)
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(model(x[:0], training=True))
    gradients = tape.gradient(total, [variable.value for variable in model.trainable_variables])
    assert all(np.isfinite(gradient).all() for gradient in gradients if gradient is not None)
    assert "_moments" not in vars(*layers)


def test_statistics_of_the_whole_batch_are_left_alone(dense_model):
    model = dense_model(lambda: keras.layers.BatchNormalization(synchronized=True, name="norm"))
    assert ordinary_normalization(model) == []
