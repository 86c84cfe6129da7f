"""Repeatable datasets: what no two runs would see alike is refused, by name and with what would work."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.feeds.repeatable import refuse_unrepeatable

Dataset = tf.data.Dataset
AUTOTUNE = tf.data.AUTOTUNE


def with_any_order():
    options = tf.data.Options()
    options.deterministic = False
    return Dataset.range(9).with_options(options).take(2)


def read(i):
    return Dataset.range(i, i + 3)


def noisy(i):
    return tf.cast(i, tf.float32) + tf.random.uniform([], seed=1)


def noisy_later(i):
    return Dataset.range(i).map(noisy)


def stateless(i):
    return tf.random.stateless_uniform([], [i, i])


def keras_noise():
    layer = keras.layers.GaussianNoise(0.5, seed=3)
    return Dataset.range(9).map(lambda i: layer(tf.cast([i], tf.float32), training=True), num_parallel_calls=2)


def generator_noise():
    generator = tf.random.Generator.from_seed(1, alg="philox")
    return Dataset.range(9).map(lambda i: generator.make_seeds(1), num_parallel_calls=2)


def counted():
    count = tf.Variable(0)
    return Dataset.range(9).map(lambda i: count.assign_add(1), num_parallel_calls=2)


def in_python(i):
    return tf.numpy_function(np.abs, [i], tf.int64)


def looked_up():
    keys = tf.constant([1, 2], tf.int64)
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, keys), -1)
    scale = tf.Variable(2, dtype=tf.int64)

    def checked(i):
        tf.debugging.assert_less(i, tf.constant(99, tf.int64))
        tf.print(i, output_stream="file:///dev/null")
        return tf.while_loop(lambda j: j < 3, lambda j: [j + 1], [scale * table.lookup(i)])

    return Dataset.range(9).map(checked, num_parallel_calls=2)


ORDER = r"may change the order of its examples \(deterministic=False\).*expected deterministic=True"
PARALLEL = " in a function that runs in parallel.*expected no num_parallel_calls"
RANDOM = "RandomUniform in a function that runs in parallel.*tf.random.stateless_"


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (with_any_order, ORDER),
        (lambda: Dataset.range(9).map(tf.abs, num_parallel_calls=2, deterministic=False), ORDER),
        (lambda: Dataset.range(9).interleave(read, num_parallel_calls=2, deterministic=False).skip(1), ORDER),
        (
            lambda: Dataset.range(9).flat_map(
                lambda i: read(i).interleave(read, num_parallel_calls=2, deterministic=False)
            ),
            ORDER,
        ),
        (lambda: Dataset.range(9).map(noisy, num_parallel_calls=AUTOTUNE).prefetch(1), RANDOM),
        (lambda: Dataset.range(9).interleave(noisy_later, num_parallel_calls=AUTOTUNE), RANDOM),
        (lambda: Dataset.range(9).snapshot("unused"), r"SnapshotDataset gives depends on.*expected .cache\(\)"),
        (lambda: Dataset.range(9).cache("unused").shuffle(3), r"what .cache\('unused'\) gives.*without a file name"),
        (lambda: Dataset.range(9).flat_map(lambda i: read(i).cache("unused")), r"what .cache\(filename\) gives"),
        (lambda: Dataset.range(9).flat_map(lambda i: read(i).snapshot("unused")), "what SnapshotDatasetV2 gives"),
        (keras_noise, "AssignAddVariableOp|AssignVariableOp" + PARALLEL),
        (generator_noise, "RngReadAndSkip" + PARALLEL),
        (counted, "AssignAddVariableOp" + PARALLEL),
        (
            lambda: Dataset.range(9).map(in_python, num_parallel_calls=2),
            r"PyFunc\).*expected no num_parallel_calls there",
        ),
        (
            lambda: Dataset.range(9).interleave(lambda i: read(i).map(in_python), num_parallel_calls=2),
            r"Python code \(PyFunc\) in a function that runs in parallel",
        ),
    ],
)
def test_what_differs_from_run_to_run_is_refused(make, answer):
    with pytest.raises(ConfigurationError, match=answer):
        refuse_unrepeatable(make())


def test_what_does_not_is_taken(read_records):
    refuse_unrepeatable(read_records())
    refuse_unrepeatable(Dataset.range(9).map(noisy).enumerate())
    refuse_unrepeatable(Dataset.range(9).map(stateless, num_parallel_calls=AUTOTUNE))
    refuse_unrepeatable(Dataset.range(9).interleave(noisy_later))
    refuse_unrepeatable(Dataset.range(9).map(in_python))
    refuse_unrepeatable(Dataset.range(9).cache())
    refuse_unrepeatable(Dataset.range(9).interleave(lambda i: read(i).cache().shuffle(3), num_parallel_calls=2))
    refuse_unrepeatable(looked_up())
