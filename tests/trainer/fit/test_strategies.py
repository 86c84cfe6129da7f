"""Strategies: a model and its optimizer belong to one strategy, under which fit is exact."""

import keras
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.fit.strategies import refuse_other_strategy, strategy_of


def test_the_strategy_is_that_under_which_the_model_was_made(dense_model, replicas):
    assert strategy_of(dense_model()) is None
    strategy = replicas(2)
    with strategy.scope():
        model = dense_model()
    assert strategy_of(model) is strategy


def test_other_strategies_than_mirrored_ones_are_refused(dense_model):
    with tf.distribute.experimental.CentralStorageStrategy(["CPU:0", "CPU:1"]).scope():
        model = dense_model()
    with pytest.raises(ConfigurationError, match="made under a CentralStorageStrategy.*expected a MirroredStrategy"):
        strategy_of(model)


def test_replicas_share_no_optimizer_of_elsewhere(replicas):
    optimizer = keras.optimizers.SGD()
    refuse_other_strategy(optimizer, replicas(1))
    with pytest.raises(ConfigurationError, match="the optimizer, a SGD, was made outside of the scope"):
        refuse_other_strategy(optimizer, replicas(2))
