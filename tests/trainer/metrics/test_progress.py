"""Progress: what a metric has seen, batch after batch, and that what nothing counts of has no number."""

import keras
import pytest
import tensorflow as tf

from objectives import Context
from trainer import KerasMetric
from trainer.metrics.progress import advanced, begun, numbers


@pytest.fixture
def error():
    return KerasMetric(metric=keras.metrics.MeanAbsoluteError(), mask="inputs")


def batch(values, mask):
    values = tf.constant(values)[:, tf.newaxis]
    return Context(targets=tf.zeros_like(values), outputs=values, inputs=tf.constant(mask))


def test_batches_add_up(error):
    progress = begun(error)
    for values, mask in (([1.0, 9.0], [1.0, 0.0]), ([2.0, 3.0], [1.0, 1.0]), ([float("nan")], [0.0])):
        progress = advanced(error, progress, error.read(batch(values, mask)))
    assert int(progress.rows) == 3
    assert numbers(error, progress) == {"": 2.0}


def test_a_metric_for_which_nothing_counts_has_no_number(error):
    assert numbers(error, advanced(error, begun(error), error.read(batch([1.0], [0.0])))) == {}


def test_what_is_out_of_range_makes_the_number_nan(error):
    found = numbers(error, advanced(error, begun(error), error.read(batch([1.0, 2.0], [1.0, 0.5]))))
    assert found == {"": pytest.approx(float("nan"), nan_ok=True)}
