"""Metric: the base class, with a metric of a user's own."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Key
from trainer import KerasMetric, Metric, Metrics


@dataclasses.dataclass(frozen=True, kw_only=True)
class LargestError(Metric):
    """The largest error of any element, which is no mean."""

    y_true: Key = "targets.number"
    y_pred: Key = "outputs.number"

    def initial_state(self):
        return tf.constant(0.0)

    def updated(self, state, y_true, y_pred):
        return tf.maximum(state, tf.reduce_max(tf.abs(y_true - y_pred)))

    def result(self, state):
        return state


@pytest.mark.parametrize("count", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_a_metric_of_ones_own_sees_the_examples_that_count_and_no_padding(measured, examples, count):
    metrics = Metrics(all=LargestError(), some=LargestError(mask="targets.mask"))
    values, outputs = measured(metrics, count=count)
    error = np.abs(examples["number"] - outputs["number"]).max(axis=1)
    expected = {"metrics/all": error.max(), "metrics/some": error[examples["mask"] > 0].max()}
    assert values == pytest.approx(expected, abs=1e-6)


def test_an_argument_without_a_field_is_refused():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Lacking(LargestError):
        def updated(self, state, y_true, y_perd):
            return state

    with pytest.raises(ConfigurationError, match=r"^Lacking.updated\(\) takes 'y_perd', which is not a field; add the"):
        Lacking()


def test_labels_that_occur_twice_would_lose_a_number():
    with pytest.raises(ConfigurationError, match=r"KerasMetric\.labels has 'a' twice; expected names that differ"):
        KerasMetric(metric=keras.metrics.R2Score(class_aggregation=None), labels=["a", "b", "a"])
