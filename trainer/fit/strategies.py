"""Strategies: under which strategy a model was made, and whether `fit` is exact under it."""

import keras
import tensorflow as tf

from objectives import ConfigurationError


def strategy_of(model: keras.Model) -> tf.distribute.Strategy | None:
    """Returns the strategy under which a model was made; None if under none.

    Raises:
      ConfigurationError: another one is open, or means over several workers would be taken, which were never tried.
    """
    own = model._distribute_strategy
    here = tf.distribute.get_strategy() if tf.distribute.has_strategy() else own
    if here is not own:
        raise ConfigurationError(
            f"the model {model.name!r} was made outside of the scope of this {type(here).__name__}; expected both the "
            f"model and the ObjectiveModel to be made inside of it"
        )
    if own is not None and not isinstance(own, (tf.distribute.MirroredStrategy, tf.distribute.OneDeviceStrategy)):
        raise ConfigurationError(
            f"the model {model.name!r} was made under a {type(own).__name__}, on which `fit` with terms was never "
            f"tried; expected a MirroredStrategy, or a Trainer, which trains on several workers"
        )
    return own


def refuse_other_strategy(optimizer: keras.optimizers.Optimizer, strategy: tf.distribute.Strategy) -> None:
    """Raises ConfigurationError where replicas would share an optimizer's counter, which each of them advances."""
    if strategy.num_replicas_in_sync > 1 and optimizer._distribution_strategy is not strategy:
        raise ConfigurationError(
            f"the optimizer, a {type(optimizer).__name__}, was made outside of the scope of the "
            f"{type(strategy).__name__} of the model; expected it to be made inside, or given by its name"
        )
