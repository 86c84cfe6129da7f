"""Adoption: how a model and an optimizer that were built elsewhere move under a strategy."""

import keras
import tensorflow as tf

from objectives import ConfigurationError


def adopt(strategy: tf.distribute.Strategy, model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
    """Moves a model's and an optimizer's variables, with their values, under the strategy, and builds the optimizer.

    The objects stay the caller's own: after training, the model that was handed in is the trained one. Keras
    offers no public way to do this short of rebuilding the model, which loses subclassed ones.

    Raises:
      ConfigurationError: the optimizer does something itself that is wrong on several replicas.
    """
    if strategy.num_replicas_in_sync > 1:
        _refuse_local_work(optimizer)
    variables = [*model.variables, *optimizer.variables]
    values = [variable.numpy() for variable in variables]
    with strategy.scope():
        for variable, value in zip(variables, values, strict=True):
            variable._initialize(value)
        optimizer._distribution_strategy = strategy
        # The step sums gradients over replicas itself, before it clips them: once is enough.
        optimizer._all_reduce_sum_gradients = lambda gradients_and_variables: gradients_and_variables
        # It knows variables by what they hold, which has just changed.
        for i, variable in enumerate(optimizer._trainable_variables):
            optimizer._trainable_variables_indices[optimizer._var_key(variable)] = i
        # An optimizer cannot create its slots while it is traced under a strategy.
        optimizer.build(model.trainable_variables)
    for part in model._flatten_layers():
        if isinstance(part, keras.Model):
            _forget_functions(part)


def _forget_functions(model: keras.Model) -> None:
    """What `predict`, `evaluate` and `fit` compiled earlier works on the variables of then, which nobody trains."""
    model.predict_function = model.test_function = model.train_function = None


def _refuse_local_work(optimizer: keras.optimizers.Optimizer) -> None:
    """Keras clips and accumulates on each replica before it reduces, which changes the result."""
    for name in ("clipnorm", "global_clipnorm", "clipvalue", "gradient_accumulation_steps"):
        if getattr(optimizer, name, None):
            raise ConfigurationError(
                f"the optimizer's {name} is {getattr(optimizer, name)!r}, which Keras applies on each replica for "
                f"itself; expected an optimizer without it (Trainer.clip_norm bounds the global gradient)"
            )
