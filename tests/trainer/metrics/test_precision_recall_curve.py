"""PrecisionRecallCurve: the numbers of scikit-learn, with weights and masks, drawn."""

import matplotlib.figure
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf

from objectives.readings import describe, recording
from trainer import Metrics, PrecisionRecallCurve


def counted(curve, y_true, y_pred, **weights):
    tensors = {"y_true": y_true, "y_pred": y_pred, **weights}
    tensors = curve._aligned({name: tf.constant(tensor, tf.float32) for name, tensor in tensors.items()})
    return curve.updated(curve.initial_state(), **tensors)


def test_the_average_precision_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    y_true, weight = (rng.random(400) < 0.3).astype(np.float32), rng.uniform(0, 2, 400).astype(np.float32)
    y_pred = np.clip(0.4 * y_true + 0.6 * rng.random(400), 0, 1).astype(np.float32)
    curve = PrecisionRecallCurve(thresholds=20_000)
    found = curve.result(counted(curve, y_true, y_pred, sample_weight=weight))
    expected = sklearn.metrics.average_precision_score(y_true, y_pred, sample_weight=weight)
    assert found["average_precision"] == pytest.approx(expected, abs=1e-3)
    predicted = y_pred >= found["best_threshold"]
    assert found["best_f1"] == pytest.approx(
        sklearn.metrics.f1_score(y_true, predicted, sample_weight=weight), abs=1e-6
    )


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3])
def test_it_is_the_same_on_any_number_of_replicas(measured, examples, count):
    curve = PrecisionRecallCurve(y_true="targets.binary", y_pred="outputs.binary", mask="targets.mask", thresholds=64)
    values, outputs = measured(Metrics(curve=curve), count=count, rehearsed=True)
    shown = examples["mask"] > 0
    expected = curve.result(counted(curve, examples["binary"][shown], outputs["binary"][shown]))
    assert values == pytest.approx({f"metrics/curve/{name}": value for name, value in expected.items()}, abs=1e-6)


def test_logits_are_probabilities_by_request_only():
    logits = {"y_true": tf.constant([0.0]), "y_pred": tf.constant([-4.0])}
    assert np.isnan(float(PrecisionRecallCurve()._poison(logits, None)))
    assert float(PrecisionRecallCurve(from_logits=True)._poison(logits, None)) == 0.0
    curve = PrecisionRecallCurve(from_logits=True, thresholds=2)
    assert counted(curve, [1.0, 0.0], [3.0, -3.0]).numpy().tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_equal_logits_at_a_threshold_count_alike_in_every_batch():
    """TensorFlow gives 64 of them another sigmoid than one of them, on the other side of 0.25."""
    curve, logit = PrecisionRecallCurve(from_logits=True, thresholds=4), np.log(np.float32(1 / 3))
    at_once, alone = (counted(curve, [0.0] * size, [logit] * size).numpy().tolist() for size in (64, 1))
    assert (at_once, alone) == ([[0.0, 64.0, 0.0, 0.0], [0.0] * 4], [[0.0, 1.0, 0.0, 0.0], [0.0] * 4])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_reach_the_thresholds_that_their_probabilities_do(dtype):
    logits = np.random.default_rng(0).normal(scale=4, size=500).astype(dtype)
    curve = PrecisionRecallCurve(from_logits=True)
    expected = np.floor(200 / (1 + np.exp(-logits.astype(np.float64))))
    np.testing.assert_array_equal(curve._steps(tf.constant(logits)), expected)


@pytest.mark.parametrize(
    ("curve", "y_pred"),
    [
        (PrecisionRecallCurve(), [0.1, np.nan]),
        (PrecisionRecallCurve(from_logits=True), [-4.0, np.nan]),
        (PrecisionRecallCurve(class_id=0), [[0.4, 0.6], [np.nan, np.nan]]),
    ],
)
def test_what_is_not_a_number_is_no_prediction(curve, y_pred):
    tensors = {"y_true": tf.constant([0.0, 1.0]), "y_pred": tf.constant(y_pred, tf.float32)}
    with recording() as readings:
        assert np.isnan(float(curve._poison(tensors, None)))
        assert float(curve._poison(tensors, tf.constant([True, False]))) == 0.0
    told = [describe(one, one.values.numpy(), one.outside.numpy()) for one in readings]
    assert "the values 'y_pred': found nan in row 1; expected numbers" in told


@pytest.mark.parametrize(("labelled", "scored"), [([3], [3, 1]), ([3, 1], [3]), ([3, 1], [3, 1])])
def test_a_last_axis_of_1_may_be_there_or_not(labelled, scored):
    tensors = {"y_true": tf.zeros(labelled), "y_pred": tf.zeros(scored), "sample_weight": tf.ones([3, 1])}
    shapes = {tuple(tensor.shape) for tensor in PrecisionRecallCurve()._aligned(tensors).values()}
    assert len(shapes) == 1


def test_the_curve_is_drawn_beside_the_share_of_positives():
    curve = PrecisionRecallCurve(thresholds=4)
    axes = matplotlib.figure.Figure().subplots()
    curve.draw(curve.details(counted(curve, [1.0, 0.0, 0.0, 0.0], [0.9, 0.2, 0.1, 0.6])), axes)
    line, share = axes.lines
    assert np.asarray(line.get_xdata()).tolist() == [1.0, 1.0, 1.0, 1.0]
    assert np.asarray(share.get_ydata()).tolist() == [0.25, 0.25]
