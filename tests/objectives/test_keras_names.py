"""Losses and metrics by name: those of Keras with their defaults; what a name does not tell is refused."""

import inspect

import keras
import pytest

from objectives import ConfigurationError
from objectives.keras_names import loss_of, metric_of


def test_each_name_of_keras_is_its_function_with_the_same_settings():
    from keras.src.losses import ALL_OBJECTS_DICT

    functions = {name: loss for name, loss in ALL_OBJECTS_DICT.items() if inspect.isfunction(loss)}
    assert len(functions) > 20
    for name, function in functions.items():
        found, parameters = loss_of(name), inspect.signature(function).parameters
        assert found.fn is function
        assert {key: parameters[key].default for key in found._fn_kwargs} == found._fn_kwargs


@pytest.mark.parametrize("name", ["auc", "AUC", "mse", "f1_score", "sparse_categorical_accuracy", "KLDivergence"])
def test_each_name_of_a_metric_is_that_of_keras(name):
    assert type(metric_of(name)) is type(keras.metrics.get(name))


def test_an_object_is_itself():
    loss, metric = keras.losses.Huber(), keras.metrics.AUC()
    assert loss_of(loss) is loss
    assert metric_of(metric) is metric


@pytest.mark.parametrize(
    ("make", "name", "told"),
    [
        (loss_of, "hubr", "^Keras has no loss 'hubr'; did you mean 'huber'?"),
        (loss_of, "crossentropy", "'binary_crossentropy' for one output of a yes or no, 'sparse_categorical_crosse"),
        (loss_of, "CE", "^Keras has several of the loss 'CE'"),
        (metric_of, "acc", "^Keras has several of the metric 'acc'; expected 'binary_accuracy'"),
        (metric_of, "MeanIoU", r"no default for num_classes; expected @keras.metrics.MeanIoU\(\) in a gin file, with"),
    ],
)
def test_a_name_that_does_not_tell_enough_is_refused(make, name, told):
    with pytest.raises(ConfigurationError, match=told):
        make(name)
