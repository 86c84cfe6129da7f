"""Empty shards: batch normalization of no examples has finite statistics, and a finite gradient."""

import keras
import numpy as np
import tensorflow as tf

from trainer.fit.empty_shards import keep_empty_shards_finite


def test_no_examples_give_no_nan_and_some_give_what_they_gave(dense_model):
    def make():
        return dense_model(lambda: keras.layers.BatchNormalization(name="norm"))

    model, plain = make(), make()
    for _ in range(2):
        keep_empty_shards_finite(model)
    x = np.ones([4, 3], np.float32) * np.arange(4, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(model(x, training=True), plain(x, training=True))
    for one, other in zip(model.variables, plain.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(x[:0], training=True))
    gradients = tape.gradient(total, [variable.value for variable in model.trainable_variables])
    assert all(np.isfinite(gradient).all() for gradient in gradients if gradient is not None)


def test_statistics_of_the_whole_batch_are_left_alone(dense_model):
    model = dense_model(lambda: keras.layers.BatchNormalization(synchronized=True, name="norm"))
    keep_empty_shards_finite(model)
    assert "_moments" not in vars(model.get_layer("norm"))
