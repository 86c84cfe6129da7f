"""Optimizers: refuses what an optimizer may not do itself, as the step does it for the whole batch or not at all."""

import keras

from objectives import ConfigurationError
from objectives.errors import Mistakes

# Methods of an optimizer that `fit` calls and the step does not, and what to use instead.
_BYPASSED = {
    "apply_gradients": "`apply(grads, trainable_variables)`, which both `fit` and the step call",
    "scale_loss": "an optimizer without it (a term's weight scales that term, and Trainer.precision the whole loss)",
    "finalize_variable_values": (
        "an optimizer without it, as what is evaluated and saved would be other weights than those that it leaves "
        "(Trainer.average_momentum keeps an average of the weights and evaluates it; anything else can follow `train`)"
    ),
}
_INSTEAD = "Trainer.precision = 'mixed_float16' scales the loss, and unscales the gradients"


def refuse_own_work(optimizer: keras.optimizers.Optimizer, *, replicas: int) -> None:
    """Raises ConfigurationError where an optimizer would change an update in a way that the step does not know.

    >>> refuse_own_work(keras.optimizers.SGD(loss_scale_factor=128.0), replicas=1)
    Traceback (most recent call last):
    objectives.errors.ConfigurationError: the optimizer's loss_scale_factor is 128.0, by which Keras divides ...
    """
    _refuse_several(optimizer)
    mistakes = Mistakes()
    for check in (_refuse_bypassed, _refuse_scaling, _refuse_average, _refuse_accumulation):
        with mistakes.gathered():
            check(optimizer)
    if replicas > 1:
        with mistakes.gathered():
            _refuse_clipping(optimizer)
    mistakes.raise_any()


def _refuse_several(optimizer: keras.optimizers.Optimizer) -> None:
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        inner = type(optimizer.inner_optimizer).__name__
        raise ConfigurationError(
            f"the optimizer is a LossScaleOptimizer, which divides gradients by a scale that the step does not "
            f"multiply the loss by; expected the {inner} inside of it ({_INSTEAD})"
        )
    if isinstance(optimizer, keras.optimizers.MultiOptimizer) or _holds_others(optimizer):
        raise ConfigurationError(
            f"the optimizer is a {type(optimizer).__name__} around others, which have learning rates and steps of "
            f"their own; expected one optimizer that holds no others (Trainer.optimizers has one for each group of "
            f"variables)"
        )


def _holds_others(optimizer: keras.optimizers.Optimizer) -> bool:
    held = [part for value in vars(optimizer).values() for part in (value if isinstance(value, list) else [value])]
    return any(isinstance(part, keras.optimizers.Optimizer) for part in held)


def _refuse_bypassed(optimizer: keras.optimizers.Optimizer) -> None:
    for name, instead in _BYPASSED.items():
        own = getattr(getattr(optimizer, name), "__func__", None)
        if own is not getattr(keras.optimizers.Optimizer, name):
            raise ConfigurationError(
                f"the optimizer, a {type(optimizer).__name__}, overrides `{name}`, which the step does not "
                f"call; expected {instead}"
            )


def _refuse_scaling(optimizer: keras.optimizers.Optimizer) -> None:
    if optimizer.loss_scale_factor is not None:
        raise ConfigurationError(
            f"the optimizer's loss_scale_factor is {optimizer.loss_scale_factor!r}, by which Keras divides gradients, "
            f"while the step does not multiply the loss by it; expected an optimizer without it ({_INSTEAD})"
        )


def _refuse_average(optimizer: keras.optimizers.Optimizer) -> None:
    if optimizer.use_ema:
        raise ConfigurationError(
            f"the optimizer's use_ema is True, whose average nothing would evaluate or save; expected an optimizer "
            f"without it (Trainer.average_momentum = {optimizer.ema_momentum!r} keeps such an average and evaluates it)"
        )


def _refuse_accumulation(optimizer: keras.optimizers.Optimizer) -> None:
    if optimizer.gradient_accumulation_steps:
        raise ConfigurationError(
            f"the optimizer's gradient_accumulation_steps is {optimizer.gradient_accumulation_steps!r}, which updates "
            f"in some steps only; expected an optimizer without it (Trainer.accumulate_steps cuts batches into parts)"
        )


def _refuse_clipping(optimizer: keras.optimizers.Optimizer) -> None:
    for name in ("clipnorm", "global_clipnorm", "clipvalue"):
        if getattr(optimizer, name, None):
            raise ConfigurationError(
                f"the optimizer's {name} is {getattr(optimizer, name)!r}, which Keras applies on each replica for "
                f"itself; expected an optimizer without it (Trainer.clip_norm bounds the global gradient)"
            )
