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


def test_the_formula_receives_what_counts_and_its_reads():
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scaled(Spread):
    """The same, times the sum of a kernel and the step; a floor may be left out."""

    kernel: Key = "weights.kernel"
    step: Key = "step"
    floor: Key | None = None

    def values(self, counted, kernel, y_pred, step, floor):
        assert floor is None
        return super().values(counted, y_pred) * (tf.reduce_sum(kernel) + tf.cast(step, tf.float32))


def test_what_is_not_of_the_batch_is_neither_gathered_nor_masked():
    def context(outputs, gather):
        return Context(
            outputs=tf.constant(outputs),
            targets=tf.ones([len(outputs)]) if len(outputs) > 2 else tf.constant([1.0, 0.0]),
            weights={"kernel": tf.constant([3.0, 4.0])},
            step=tf.constant(5),
            gather=gather,
        )

    twice = context([1.0, 5.0, 2.0], lambda tensor: tf.concat([tensor, tensor + 1], 0))
    masked = context([1.0, 5.0], lambda tensor: tensor)
    assert float(Scaled().mean(twice).result()) == pytest.approx(
        float(Spread().mean(twice).result()) * (3 + 4 + 5), rel=1e-6
    )
    assert float(Scaled(mask="targets", y_pred="outputs").mean(masked).result()) == 0
    sum_of_weights = dataclasses.replace(Scaled(), mask="targets")
    assert float(sum_of_weights.mean(context([1.0, 5.0, 2.0], lambda tensor: tensor)).result()) == pytest.approx(
        np.var([1, 5, 2]) * 12, rel=1e-6
    )


def test_a_mask_is_one_of_examples():
    context = Context(outputs=tf.ones([3]), targets=tf.ones([3, 2]))
    with pytest.raises(ConfigurationError, match=r"the mask"):
        Spread(mask="targets").mean(context)
