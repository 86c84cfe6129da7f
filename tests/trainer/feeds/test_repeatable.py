"""Repeatable datasets: what no two runs would see alike is refused, by name and with what would work."""

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


ORDER = r"may change the order of its examples \(deterministic=False\).*expected deterministic=True"
RANDOM = "RandomUniform in a function that runs in parallel.*expected tf.random.stateless_"


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
