"""Monitor: names and directions are known before the first step, or refused."""

import keras
import pytest

from objectives import ConfigurationError, MeanSquaredError, Objective
from objectives.schedules import Linear
from trainer import KerasMetric, Metrics
from trainer.callbacks.monitor import monitored_by, monitored_names, prepare_monitors, require_measured
from trainer.settings.changes import describe, differences

OBJECTIVE = Objective(
    data=MeanSquaredError(),
    watched=MeanSquaredError(weight=0.0),
    fading=MeanSquaredError(weight=Linear(first=1.0, last=0.0, steps=4)),
)
TAGS = ["loss/total", *(f"terms/{name}/{what}" for name in OBJECTIVE.terms for what in ("raw", "weighted"))]
OF_KERAS = {
    "auc": keras.metrics.AUC(),
    "error": keras.metrics.MeanAbsoluteError(),
    "f1": keras.metrics.F1Score(),
    "mean": keras.metrics.Mean(),
}
METRICS = Metrics(**{name: KerasMetric(metric=metric) for name, metric in OF_KERAS.items()})
NAMES = monitored_names([*TAGS, *(f"metrics/{name}" for name in OF_KERAS)], TAGS, ["optimizer/learning_rate"])


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
    assert prepared("metrics/error").monitor_op == keras.ops.less
    assert prepared("metrics/f1/0").monitor_op == keras.ops.greater  # of the first class


def test_what_is_monitored_is_told_with_its_direction():
    assert monitored_by(prepared("metrics/auc")) == monitored_by(prepared("metrics/auc", mode="max"))
    assert monitored_by(prepared("loss", mode="max")) == ["loss", "max"]
    assert monitored_by(keras.callbacks.LambdaCallback()) is None


@pytest.mark.parametrize("monitor", ["val_loss", "metrics/auc", "metrics/mean"])
def test_auto_and_the_direction_that_it_stands_for_are_one_setting(monitor):
    def described(mode):
        callback = keras.callbacks.EarlyStopping(monitor=monitor, mode=mode, verbose=len(mode) % 2)
        return describe({"callbacks": [callback], "objective": OBJECTIVE, "metrics": METRICS})

    certain = {"val_loss": "min", "metrics/auc": "max"}.get(monitor, "auto")
    for mode in ("min", "max"):
        line = f"EarlyStopping.mode (Trainer.callbacks[0]): {certain!r} -> {mode!r}"
        assert differences(described("auto"), described(mode)) == ([] if mode == certain else [line])


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
