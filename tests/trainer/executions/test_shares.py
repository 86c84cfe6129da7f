"""Losses of shards add up to those of the batch, or are refused where a batch is cut."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, Trainer, TrainStep

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(8, 3)


class Own(TrainStep):
    def direction(self, gradients):
        return [tf.add_n(list(of_variable)) for of_variable in zip(*gradients, strict=True)]


class Logarithm(Own):
    def losses(self, totals, counts, weights):
        return [tf.math.log1p(tf.add_n(list(self.weighted_terms(totals, counts, weights))))]


class Decayed(Own):
    def losses(self, totals, counts, weights):
        decay = tf.add_n([tf.nn.l2_loss(variable.value) for variable in self.trained])
        return [*self.weighted_terms(totals, counts, weights), 0.1 * decay]


class Doubled(Own):
    def losses(self, totals, counts, weights):
        return [2.0 * loss for loss in self.weighted_terms(totals, counts, weights)]


@pytest.fixture
def make(replicas):
    def make(train_step, count=1, **settings):
        keras.utils.set_random_seed(1)
        return Trainer(
            model=keras.Sequential([keras.Input([3]), keras.layers.Dense(2)]),
            objective=Objective(data=MeanSquaredError()),
            optimizer=keras.optimizers.SGD(0.1),
            train=ArraySource(X, X[:, :2]),
            batch_size=4,
            steps=2,
            strategy=replicas(count),
            train_step=train_step,
            execution="graph",
            default_reports=False,
            **settings,
        )

    return make


@pytest.mark.parametrize("cut", [{"count": 2}, {"accumulate_steps": 2}], ids=["replicas", "micro-batches"])
@pytest.mark.parametrize(("train_step", "loss"), [(Logarithm, 0), pytest.param(Decayed, 1, marks=pytest.mark.slow)])
def test_losses_that_do_not_add_up_are_refused_before_the_first_step(make, train_step, loss, cut):
    trainer = make(train_step, **cut)
    name = train_step.__name__
    with pytest.raises(ConfigurationError, match=rf"{name}.losses does not add up .* of loss {loss}, two shards have"):
        trainer.train()
    assert trainer.step == 0


def test_any_loss_may_be_differentiated_of_a_whole_batch(make):
    assert np.isfinite(make(Logarithm).train()["loss/total"])


@pytest.mark.slow
def test_losses_that_add_up_are_taken(make):
    one, two = make(Doubled), make(Doubled, count=2)
    one.train(), two.train()
    for expected, found in zip(one.model.get_weights(), two.model.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
