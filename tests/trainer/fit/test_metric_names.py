"""Metric names: a metric of compile hides neither the total nor a term."""

import keras
import pytest

from objectives import ConfigurationError
from trainer.fit.metric_names import refuse_hiding


def loss(y_true, y_pred):
    return y_true - y_pred


@pytest.mark.parametrize(
    ("metrics", "name"),
    [
        ([loss], "loss"),
        ({"head": ["mae", keras.metrics.MeanSquaredError("loss")]}, "loss"),
        ([keras.metrics.Mean("terms/data/raw")], "terms/data/raw"),
        ([keras.metrics.Mean("val_loss")], "val_loss"),
    ],
)
def test_a_metric_with_the_name_of_another_value_is_refused(metrics, name):
    with pytest.raises(ConfigurationError, match=f"a metric of compile is named '{name}', which is .*expected another"):
        refuse_hiding(metrics)


def test_other_metrics_are_accepted():
    refuse_hiding([None, ["accuracy", keras.metrics.AUC(), keras.losses.mean_squared_error], {"a": None}])
