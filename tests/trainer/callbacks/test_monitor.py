"""Monitor: names and directions are known before the first step, or refused."""

import keras
import pytest

from objectives import ConfigurationError, MeanSquaredError, Objective
from objectives.schedules import Linear
from trainer import KerasMetric, Metrics
from trainer.callbacks.monitor import monitored_names, prepare_monitors, require_measured

OBJECTIVE = Objective(
    data=MeanSquaredError(),
    watched=MeanSquaredError(weight=0.0),
    fading=MeanSquaredError(weight=Linear(first=1.0, last=0.0, steps=4)),
)
TAGS = ["loss/total", *(f"terms/{name}/{what}" for name in OBJECTIVE.terms for what in ("raw", "weighted"))]
METRICS = Metrics(auc=KerasMetric(metric=keras.metrics.AUC()), mean=KerasMetric(metric=keras.metrics.Mean()))
NAMES = monitored_names([*TAGS, "metrics/auc", "metrics/mean"], TAGS, ["optimizer/learning_rate"])


def prepared(monitor, names=NAMES, kind=keras.callbacks.EarlyStopping, **settings):
    callback = kind(monitor=monitor, **settings)
    prepare_monitors([callback], names, OBJECTIVE, METRICS)
    return callback


@pytest.mark.parametrize("monitor", ["val_loss", "loss", "loss/total", "train/loss/total", "terms/data/raw"])
@pytest.mark.parametrize("kind", [keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau])
def test_what_training_minimises_is_to_fall(monitor, kind):
    callback = prepared(monitor, kind=kind, min_delta=0.5)
    assert (callback.monitor_op, callback.min_delta, callback.mode) == (keras.ops.less, -0.5, "auto")


def test_the_sign_of_min_delta_is_turned_once():
    callback = prepared("loss", min_delta=0.5)
    prepare_monitors([callback], NAMES, OBJECTIVE, METRICS)
    assert callback.min_delta == -0.5


def test_a_metric_of_keras_has_a_direction_of_its_own():
    assert prepared("metrics/auc").monitor_op == keras.ops.greater
    with pytest.raises(ConfigurationError, match="nothing tells whether 'metrics/auc/0' should"):
        prepared("metrics/auc/0")


@pytest.mark.parametrize(
    "monitor", ["metrics/mean", "terms/watched/raw", "terms/fading/raw", "optimizer/learning_rate"]
)
def test_a_direction_that_nothing_tells_has_to_be_given(monitor):
    with pytest.raises(ConfigurationError, match=f"EarlyStopping.mode is 'auto' .*whether '{monitor}' should fall or"):
        prepared(monitor)
    assert prepared(monitor, mode="max").monitor_op == keras.ops.greater


@pytest.mark.parametrize(
    ("monitor", "answer"),
    [("val_los", "did you mean 'val_loss'?"), ("val_auc", "did you mean 'metrics/auc'?"), ("terms/data/rwa", "raw")],
)
def test_a_name_that_no_log_has_is_refused_with_the_nearest(monitor, answer):
    with pytest.raises(ConfigurationError) as error:
        prepared(monitor)
    assert f"EarlyStopping.monitor is {monitor!r} (Trainer.callbacks[0]); " in str(error.value)
    assert answer in str(error.value)


def test_without_evaluation_there_is_no_validation_loss():
    with pytest.raises(ConfigurationError, match="there are no evaluation data; did you mean 'loss'"):
        prepared("val_loss", names=monitored_names([], TAGS, []))


@pytest.mark.parametrize(
    ("monitor", "answer"),
    [("measures/errr", "did you mean 'measures/error'"), ("metrics/mean/0", "known: metrics/mean")],
)
def test_numbers_below_a_name_are_known_after_one_evaluation(monitor, answer):
    names = [*NAMES, "measures"]
    callback = prepared(monitor, names=names, mode="min")
    values = {"loss/total": 1.0, "metrics/mean": 0.5, "metrics/auc": 0.5, "measures/error": 1.0}
    with pytest.raises(ConfigurationError, match=answer):
        require_measured([callback], values)
    require_measured([prepared("measures/error", names=names, mode="min"), prepared("val_loss")], values)
    require_measured([callback], {"loss/total": 1.0})
