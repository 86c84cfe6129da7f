"""PrecisionRecallCurve: the numbers of scikit-learn, with weights and masks, drawn."""

import matplotlib.figure
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf

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
