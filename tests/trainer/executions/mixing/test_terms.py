"""Mixed terms: a term that mixes examples is named where weights of 0 hide it, and one that draws by itself is not."""

import keras
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, MeanSquaredError, Objective


def spread(y_pred):
    return (y_pred - tf.reduce_mean(y_pred, axis=0)) ** 2


def noisy(y_pred, step):
    return (y_pred + tf.random.stateless_normal(tf.shape(y_pred), [7, tf.cast(step, tf.int32)])) ** 2


def test_a_term_that_mixes_outputs_that_are_all_0_is_named(make_trainer, replicas):
    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(2, kernel_initializer="zeros")])
    objective = Objective(data=MeanSquaredError(), spread=FunctionTerm(fn=spread), noisy=FunctionTerm(fn=noisy))
    with pytest.raises(ConfigurationError, match="term 'spread'") as error:
        make_trainer(model=model, objective=objective, batch_size=8, strategy=replicas(2)).dry_run()
    assert len(error.value.messages) == 1
