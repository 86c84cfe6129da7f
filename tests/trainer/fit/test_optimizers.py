"""Optimizers: what makes updates within fit, and what is refused of it."""

import keras
import pytest

from objectives import ConfigurationError
from trainer.fit.optimizers import innermost, refuse_in_fit


def test_the_optimizer_inside_of_a_loss_scale_makes_the_updates():
    optimizer = keras.optimizers.SGD()
    assert innermost(optimizer) is optimizer
    assert innermost(keras.optimizers.LossScaleOptimizer(optimizer)) is optimizer


def test_accumulation_is_refused_wherever_it_hides():
    accumulating = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(gradient_accumulation_steps=3))
    with pytest.raises(ConfigurationError, match="gradient_accumulation_steps is 3.*Trainer.accumulate_steps"):
        refuse_in_fit(accumulating)
    refuse_in_fit(keras.optimizers.Adam(clipnorm=1.0, use_ema=True))


def test_several_optimizers_are_refused():
    several = keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(keras.optimizers.SGD()))
    with pytest.raises(ConfigurationError, match="expected one optimizer"):
        refuse_in_fit(several)


def test_a_method_that_is_not_called_is_refused():
    class Own(keras.optimizers.SGD):
        def apply_gradients(self, grads_and_vars):
            return super().apply_gradients(grads_and_vars)

    with pytest.raises(ConfigurationError, match="a Own, overrides `apply_gradients`.*expected `apply"):
        refuse_in_fit(Own())
