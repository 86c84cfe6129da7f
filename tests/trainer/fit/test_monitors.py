"""Monitors: a term that is not there, and a direction that nothing tells, are told before the first update."""

import types

import keras
import pytest

from objectives import ActivationPenalty, ConfigurationError, MeanSquaredError, Objective
from trainer.fit.monitors import KnownMonitors


@pytest.fixture
def begin(make_fitting):
    """Begins a training that callbacks of Keras watch."""
    apart = ActivationPenalty(activation="activations.hidden", weight=-0.5)
    terms = make_fitting(terms=Objective(data=MeanSquaredError(), apart=apart, loss=apart)).terms

    def begin(monitor, validates=True, **settings):
        known = KnownMonitors([keras.callbacks.EarlyStopping(monitor, **settings)], validates=validates)
        known.set_model(types.SimpleNamespace(metrics=[terms, keras.metrics.Mean("mean")]))
        known.on_train_begin()

    return begin


@pytest.mark.parametrize(
    ("monitor", "message"),
    [
        ("val_terms/dat/raw", "EarlyStopping.monitor is 'val_terms/dat/raw'; did you mean 'val_terms/data/raw'?"),
        ("val_data", "EarlyStopping.monitor is 'val_data'; did you mean 'val_terms/data/weighted'?"),
        ("val_terms/apart/raw", "mode is 'auto', and nothing tells whether 'val_terms/apart/raw' should fall or rise"),
    ],
)
def test_a_mistake_is_told_with_what_would_work(begin, monitor, message):
    with pytest.raises(ConfigurationError) as error:
        begin(monitor)
    assert message in str(error.value)


def test_without_validation_its_values_are_not_there(begin):
    with pytest.raises(ConfigurationError, match="'val_terms/data/raw'; there are no validation data; "):
        begin("val_terms/data/raw", validates=False)


@pytest.mark.parametrize(
    ("monitor", "mode"),
    [
        ("val_terms/data/raw", "auto"),
        ("terms/apart/weighted", "auto"),
        ("val_terms/apart/raw", "max"),
        ("mine", "min"),
        ("val_loss", "auto"),
    ],
)
def test_what_is_known_or_not_of_terms_is_left_to_keras(begin, monitor, mode):
    begin(monitor, mode=mode)
