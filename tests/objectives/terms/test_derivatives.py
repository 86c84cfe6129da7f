"""Penalties on derivatives: what they refuse, and that a model learns by them."""

import keras
import numpy as np
import pytest

from objectives import ConfigurationError, InputGradientPenalty, MeanSquaredError, Monotonicity, Objective
from trainer import ArraySource, Trainer


@pytest.mark.parametrize(
    "columns", [{"rising": ()}, {"rising": (0, 0)}, {"rising": (1,), "falling": (1,)}, {"rising": (-1,)}]
)
def test_columns_that_say_nothing_or_both_are_refused(columns):
    with pytest.raises(ConfigurationError, match="expected at least one column, from 0 on, and none of them twice"):
        Monotonicity(**columns)


@pytest.mark.parametrize("shape", [(4, 2), (4, 2, 3)])
def test_a_derivative_without_the_column_is_refused(shape):
    with pytest.raises(ConfigurationError, match="and column 2 is named"):
        Monotonicity(rising=(2,))(gradient=np.zeros(shape, np.float32))


def test_a_limit_below_0_is_refused():
    with pytest.raises(ConfigurationError, match=r"InputGradientPenalty\.limit is -1\.0; expected 0 or more"):
        InputGradientPenalty(limit=-1.0)


def test_a_model_learns_to_rise_where_its_data_fall():
    keras.utils.set_random_seed(0)
    x = np.linspace(-1, 1, 32, dtype=np.float32)[:, None]
    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])
    Trainer(
        model=model,
        objective=Objective(data=MeanSquaredError(), rises=Monotonicity(rising=(0,), weight=10.0)),
        optimizer=keras.optimizers.Adam(0.01),
        train=ArraySource(x, -x),
        batch_size=32,
        steps=300,
        execution="graph",
        default_reports=False,
    ).train()
    assert np.diff(model(x), axis=0).min() > -0.005
