"""FunctionMetric: the mean of what a function returns, over all that counts, in float64."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Context
from trainer import FunctionMetric, Metrics


def absolute_error(y_true, y_pred):
    return tf.abs(y_true - y_pred)


def evaluated(metric, **tensors):
    read = metric.read(Context(**tensors))
    return metric.result(metric.updated(metric.initial_state(), **metric.arguments(read)))


def test_weights_enter_the_sum_and_the_count_as_in_the_metrics_of_keras():
    metric = FunctionMetric(fn=lambda y_pred: tf.abs(y_pred), sample_weight="sample_weight", mask="targets.mask")
    value = evaluated(
        metric,
        inputs=tf.zeros([3, 1]),
        targets={"mask": tf.constant([1.0, 1.0, 0.0])},
        outputs=tf.constant([[1.0], [4.0], [float("nan")]]),
        sample_weight=tf.constant([3.0, 1.0, 5.0]),
    )
    assert float(value) == pytest.approx((3 * 1 + 1 * 4) / 4)


@pytest.mark.parametrize("average", ["elements", "examples"])
@pytest.mark.parametrize("weight", [[3.0, 1.0, 0.0], [3.0, -0.5, 0.0], [[3.0, 1.0], [2.0, 0.5], [0.0, 0.0]]])
def test_weights_enter_the_sum_and_the_count_whatever_is_averaged(average, weight):
    metric = FunctionMetric(fn=absolute_error, sample_weight="sample_weight", mask="targets.mask", average=average)
    metric = dataclasses.replace(metric, keys_of={"y_true": "targets.y"})
    error, mask = np.array([[1.0, 2.0], [4.0, 8.0], [np.nan, 1.0]]), np.array([[1, 1], [1, 0], [1, 1]])
    value = evaluated(
        metric,
        inputs=tf.zeros([3, 1]),
        targets={"mask": tf.constant(mask, tf.float32), "y": tf.zeros([3, 2])},
        outputs=tf.constant(error, tf.float32),
        sample_weight=tf.constant(weight),
    )
    share = mask / mask.sum(axis=1, keepdims=True) if average == "examples" else mask
    share = share * np.array(weight).reshape(3, -1)
    assert float(value) == pytest.approx(np.nansum(share * error) / share.sum())


def test_a_mean_of_nothing_has_no_value():
    metric = FunctionMetric(fn=absolute_error, mask="inputs")
    assert evaluated(metric, inputs=tf.zeros([2]), targets=tf.ones([2, 1]), outputs=tf.ones([2, 1])) == {}


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3])
def test_it_is_the_mean_over_all_examples_on_any_number_of_replicas(measured, examples, count):
    keys = {"y_true": "targets.number", "y_pred": "outputs.number"}
    metrics = Metrics(
        plain=FunctionMetric(fn=absolute_error, keys_of=keys),
        weighted=FunctionMetric(fn=absolute_error, keys_of=keys, mask="targets.mask", sample_weight="targets.weight"),
    )
    values, outputs = measured(metrics, count=count)
    error = np.abs(examples["number"] - outputs["number"].astype(np.float64))
    factor = (examples["mask"] * examples["weight"]).astype(np.float64)[:, None] * np.ones([1, 2])
    expected = {"metrics/plain": error.mean(), "metrics/weighted": np.sum(error * factor) / np.sum(factor)}
    assert values == pytest.approx(expected, abs=1e-6)


def test_a_function_whose_arguments_nobody_knows_is_refused():
    with pytest.raises(ConfigurationError, match="no key is known for the argument 'labels' of the function <lambda>"):
        FunctionMetric(fn=lambda labels, y_pred: y_pred)
