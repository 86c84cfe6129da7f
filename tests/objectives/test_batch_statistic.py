"""BatchStatistic: what neither padding nor a mask counts is 0 and counts 0, and the batch is that of all replicas."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from objectives import BatchStatistic, ConfigurationError, Context, Key


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spread(BatchStatistic):
    """The variance over examples."""

    y_pred: Key = "outputs"

    def values(self, counted, y_pred):
        mean = tf.reduce_sum(counted * y_pred) / tf.reduce_sum(counted)
        return tf.reduce_sum(counted * (y_pred - mean) ** 2) / tf.reduce_sum(counted)


def test_the_formula_is_handed_what_counts_and_its_reads():
    assert Spread().reads == {"y_pred": "outputs"}
    assert Spread(mask="targets.some").keys == {"outputs", "targets.some"}
    assert float(Spread()(counted=np.ones(4, np.float32), y_pred=np.arange(4, dtype=np.float32))) == np.var(range(4))


def test_what_does_not_count_may_be_anything():
    context = Context(
        outputs=tf.constant([1.0, 5.0, np.nan, np.inf]),
        targets=tf.constant([1, 1, 0, 1]),
        valid=tf.constant([1.0, 1, 1, 0]),
    )
    total, count = Spread(mask="targets").mean(context)
    assert (float(total), float(count)) == (np.var([1, 5]), 1)


def test_the_reads_of_all_replicas_are_gathered():
    context = Context(outputs=tf.constant([1.0, 5.0]), gather=lambda tensor: tf.concat([tensor, tensor * 2], 0))
    values, weights = np.array([1, 5, 2, 10]), [1, 1, 2, 2]
    variance = np.average((values - np.average(values, weights=weights)) ** 2, weights=weights)
    assert float(Spread().mean(context).result()) == pytest.approx(variance)


def test_a_mask_is_one_of_examples():
    context = Context(outputs=tf.ones([3]), targets=tf.ones([3, 2]))
    with pytest.raises(ConfigurationError, match=r"the mask"):
        Spread(mask="targets").mean(context)
