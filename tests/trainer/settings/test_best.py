"""Best: the value by which the best checkpoint is kept exists, and has the right sign where that is known."""

import keras
import pytest
import tensorflow as tf

from objectives import ConfigurationError, MeanSquaredError, Objective
from objectives.schedules import Linear
from trainer import ConfusionMatrix, FunctionMetric, KerasMetric, Metrics
from trainer.settings.best import refuse_unknown_best, refuse_unmeasured_best

OBJECTIVE = Objective(
    data=MeanSquaredError(),
    watched=MeanSquaredError(weight=0.0),
    fading=MeanSquaredError(weight=Linear(first=1.0, last=0.0, steps=4)),
)
METRICS = Metrics(
    auc=KerasMetric(metric=keras.metrics.AUC()),
    error=KerasMetric(metric=keras.metrics.MeanAbsoluteError()),
    mean=KerasMetric(metric=keras.metrics.Mean()),
    own=FunctionMetric(fn=lambda y_pred: tf.abs(y_pred)),
    table=ConfusionMatrix(classes=2),
)


@pytest.fixture
def check(plain_source):
    """Checks a setting beside terms and metrics of all kinds."""
    return lambda best: refuse_unknown_best(best, OBJECTIVE, plain_source, metrics=METRICS)


@pytest.mark.parametrize(
    "best",
    [
        None,
        "loss/total",
        "terms/data/raw",
        "terms/fading/weighted",
        "-metrics/auc",
        "-metrics/auc/cat",
        "metrics/error",
    ],
)
def test_the_right_sign_is_taken(check, best):
    check(best)


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(
    "tag",
    ["terms/fading/raw", "terms/watched/raw", "metrics/mean", "metrics/own", "metrics/table/accuracy", "metrics/table"],
)
def test_where_nothing_tells_the_direction_both_signs_are_taken(check, sign, tag):
    check(sign + tag)


@pytest.mark.parametrize(
    ("best", "right", "lowest", "higher"),
    [
        ("metrics/auc", "-metrics/auc", "lowest", "higher"),
        ("metrics/auc/cat", "-metrics/auc/cat", "lowest", "higher"),
        ("-metrics/error", "metrics/error", "highest", "lower"),
        ("-loss/total", "loss/total", "highest", "lower"),
        ("-terms/data/raw", "terms/data/raw", "highest", "lower"),
    ],
)
def test_the_wrong_sign_is_refused_with_the_right_one(check, best, right, lowest, higher):
    with pytest.raises(ConfigurationError) as error:
        check(best)
    assert str(error.value) == (
        f"Trainer.best is {best!r}, which keeps the checkpoint with the {lowest} value, while {higher} values of "
        f"{best.removeprefix('-')!r} are better; expected {right!r}"
    )


@pytest.mark.parametrize(
    ("best", "meant"),
    [
        ("-metrics/acu", "-metrics/auc"),
        ("metrics/acu", "-metrics/auc"),
        ("metrics/acu/cat", "-metrics/auc"),
        ("-terms/dat/raw", "terms/data/raw"),
        ("terms/data/weight", "terms/data/weighted"),
        ("-metrics/maen", "-metrics/mean"),
        ("metrics/maen", "metrics/mean"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest_as_it_has_to_be_given(check, best, meant):
    with pytest.raises(ConfigurationError) as error:
        check(best)
    assert str(error.value).startswith(f"Trainer.best is {best!r}; did you mean {meant!r}? (known: ")


@pytest.mark.parametrize(
    ("best", "meant"),
    [
        ("auc", "-metrics/auc"),
        ("-auc", "-metrics/auc"),
        ("-val_auc", "-metrics/auc"),
        ("-val_error", "metrics/error"),
        ("-own", "-metrics/own"),
        ("val_loss", "loss/total"),
        ("-loss", "loss/total"),
    ],
)
def test_a_name_in_the_manner_of_keras_is_refused_with_the_tag_that_it_means(check, best, meant):
    with pytest.raises(ConfigurationError) as error:
        check(best)
    assert str(error.value) == f"Trainer.best is {best!r}; did you mean {meant!r}?"


def test_only_what_can_be_the_best_is_listed(check):
    with pytest.raises(ConfigurationError) as error:
        check("zzz")
    raw_and_weighted = [
        f"terms/{name}/{what}" for name in ("data", "fading", "watched") for what in ("raw", "weighted")
    ]
    known = ["-metrics/auc", "loss/total", "metrics/error", "metrics/mean", "metrics/own", *raw_and_weighted]
    assert str(error.value) == f"Trainer.best is 'zzz'; known: {', '.join(known)}"


def test_a_number_that_a_metric_has_not_is_refused_once_it_is_measured():
    values = {"loss/total": 1.0, "metrics/auc/cat": 0.5, "metrics/auc/dog": 0.25, "metrics/table/accuracy": 0.5}

    def check(best):
        refuse_unmeasured_best(best, values, OBJECTIVE, METRICS)

    for best in (None, "loss/total", "-metrics/auc/dog", "metrics/mean"):
        check(best)
    with pytest.raises(ConfigurationError, match=r"^Trainer.best is '-metrics/auc/cart'; .* '-metrics/auc/cat'\? \(kn"):
        check("-metrics/auc/cart")
    with pytest.raises(ConfigurationError, match=r"^Trainer.best is '-metrics/auc'; did you mean '-metrics/auc/(c|d)"):
        check("-metrics/auc")
    with pytest.raises(ConfigurationError, match="^Trainer.best is '-metrics/table'; .*'-metrics/table/accuracy'"):
        check("-metrics/table")


def test_the_best_of_nothing_evaluated_is_refused():
    with pytest.raises(ConfigurationError, match="^Trainer.best is 'loss/total', but there are no evaluation data"):
        refuse_unknown_best("loss/total", OBJECTIVE, None)
