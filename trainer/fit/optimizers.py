"""Optimizers: what an optimizer may not do itself within `fit`, and the one that makes the updates."""

from typing import Any

import keras

from objectives import ConfigurationError


def refuse_in_fit(optimizer: Any) -> None:
    """Raises ConfigurationError where there is no optimizer, or it would change an update in a way that is not exact.

    >>> refuse_in_fit(keras.optimizers.SGD(gradient_accumulation_steps=4))
    Traceback (most recent call last):
    objectives.errors.ConfigurationError: the optimizer's gradient_accumulation_steps is 4, which averages the ...
    """
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ConfigurationError(
            f"the optimizer is {optimizer!r}; expected an optimizer such as keras.optimizers.Adam(1e-3), or its name"
        )
    if isinstance(optimizer, keras.optimizers.MultiOptimizer):
        raise ConfigurationError(
            "the optimizer is a MultiOptimizer, whose optimizers count steps of their own; expected one optimizer"
        )
    if type(optimizer).apply_gradients is not keras.optimizers.Optimizer.apply_gradients:
        raise ConfigurationError(
            f"the optimizer, a {type(optimizer).__name__}, overrides `apply_gradients`, which is not called here; "
            f"expected `apply(grads, trainable_variables)`, which Keras calls too"
        )
    steps = innermost(optimizer).gradient_accumulation_steps
    if steps:
        raise ConfigurationError(
            f"the optimizer's gradient_accumulation_steps is {steps}, which averages the gradients of batches that may "
            f"count different numbers of values; expected an optimizer without it (a larger batch_size, or "
            f"Trainer.accumulate_steps, which is exact)"
        )


def innermost(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Returns the optimizer that makes the updates: the one inside of a `LossScaleOptimizer`, or itself."""
    is_around = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    return innermost(optimizer.inner_optimizer) if is_around else optimizer
