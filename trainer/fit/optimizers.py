"""Optimizers: what an optimizer may not do itself within `fit`, and the optimizers that one holds."""

from collections.abc import Iterator

import keras

from objectives import ConfigurationError


def refuse_in_fit(optimizer: keras.optimizers.Optimizer) -> None:
    """Raises ConfigurationError where an optimizer would change an update in a way that is not exact.

    >>> refuse_in_fit(keras.optimizers.SGD(gradient_accumulation_steps=4))
    Traceback (most recent call last):
    objectives.errors.ConfigurationError: the optimizer's gradient_accumulation_steps is 4, which averages the ...
    """
    if isinstance(optimizer, keras.optimizers.MultiOptimizer):
        raise ConfigurationError(
            "the optimizer is a MultiOptimizer, whose optimizers count steps of their own; expected one optimizer"
        )
    for one in innermost(optimizer):
        if one.gradient_accumulation_steps:
            raise ConfigurationError(
                f"the optimizer's gradient_accumulation_steps is {one.gradient_accumulation_steps}, which averages the "
                f"gradients of batches that may count different numbers of values; expected an optimizer without it "
                f"(a larger batch_size, or Trainer.accumulate_steps, which is exact)"
            )


def innermost(optimizer: keras.optimizers.Optimizer) -> Iterator[keras.optimizers.Optimizer]:
    """Yields the optimizer that makes the updates: the one inside of a `LossScaleOptimizer`, or itself."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        yield from innermost(optimizer.inner_optimizer)
    else:
        yield optimizer
