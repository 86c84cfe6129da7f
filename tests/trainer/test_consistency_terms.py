"""Terms that call the model again: a run is the same however its batches are cut, in each execution."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Consistency, GradientPenalty, MeanSquaredError, Objective, VirtualAdversarial
from trainer import ArraySource, Trainer, model_of_parts

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(24, 3)).astype(np.float32), RNG.normal(size=(24, 2)).astype(np.float32)
CUTS = [{"count": 2, "accumulate_steps": 2}, pytest.param({"execution": "xla_loop"}, marks=pytest.mark.slow)]


def bent(inputs, step):
    return inputs + 0.1 * tf.sin(inputs * tf.cast(step, tf.float32))


def centred(inputs, step):
    return inputs - tf.reduce_mean(inputs, axis=0)


@pytest.fixture
def trained(replicas):
    """Trains a small model, and returns its weights."""

    def run(count=1, augment=bent, **settings):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input([3]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(2)])
        terms = {"same": Consistency(augment=augment), "smooth": VirtualAdversarial(weight=0.5)}
        Trainer(
            model=model,
            objective=Objective(data=MeanSquaredError(), **terms),
            optimizer=keras.optimizers.SGD(0.1),
            train=ArraySource(X, Y),
            strategy=replicas(count),
            default_reports=False,
            **{"batch_size": 12, "steps": 4, "seed": 1, "execution": "graph", **settings},
        ).train()
        return model.get_weights()

    return run


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_a_batch_that_is_cut_trains_the_same(trained, cut):
    for whole, other in zip(trained(), trained(**cut), strict=True):
        np.testing.assert_allclose(other, whole, rtol=1e-4, atol=1e-5)


def test_a_function_that_mixes_examples_is_refused_where_batches_are_cut(trained):
    with pytest.raises(ConfigurationError, match="term 'same'"):
        trained(count=2, augment=centred)


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_a_critic_of_pairs_trains_the_same_however_a_batch_is_cut(replicas, cut):
    def trained(count=1, **settings):
        keras.utils.set_random_seed(3)
        critic = keras.Sequential(
            [keras.Input([3]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1, use_bias=False)]
        )
        Trainer(
            model=model_of_parts(critic, parts=("real", "made")),
            objective=Objective(penalty=GradientPenalty()),
            optimizer=keras.optimizers.SGD(0.02),
            train=ArraySource({"real": X, "made": X[::-1] + 1}),
            strategy=replicas(count),
            default_reports=False,
            **{"batch_size": 12, "steps": 6, "seed": 1, "execution": "graph", **settings},
        ).train()
        return critic.get_weights()

    for whole, other in zip(trained(), trained(**cut), strict=True):
        np.testing.assert_allclose(other, whole, rtol=1e-4, atol=1e-5)
