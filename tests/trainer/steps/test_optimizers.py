"""Optimizers: what is refused, with what works instead; and all others update as they do in a loop by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import optimizers

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource
from trainer.steps.optimizers import refuse_own_work


class Around(optimizers.SGD):
    """An optimizer that holds another one."""

    def __init__(self):
        super().__init__(0.1)
        self.others = [optimizers.SGD(0.1)]


class Halves(optimizers.SGD):
    """An optimizer that changes gradients where `fit` hands them to it."""

    def apply_gradients(self, grads_and_vars):
        return super().apply_gradients([(0.5 * gradient, variable) for gradient, variable in grads_and_vars])


class Scales(optimizers.SGD):
    """An optimizer that changes the loss that `fit` differentiates."""

    def scale_loss(self, loss):
        return 10.0 * loss


class Rounds(optimizers.SGD):
    """An optimizer that changes the weights at the end of `fit`."""

    def finalize_variable_values(self, var_list):
        for variable in var_list:
            variable.assign(tf.round(variable))


class Centred(optimizers.SGD):
    """An optimizer that changes gradients where the step hands them to it, too."""

    def apply(self, grads, trainable_variables=None):
        super().apply([gradient - tf.reduce_mean(gradient) for gradient in grads], trainable_variables)


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize(
    ("optimizer", "found", "instead"),
    [
        (lambda: optimizers.SGD(loss_scale_factor=128.0), "loss_scale_factor is 128.0", "Trainer.precision"),
        (lambda: optimizers.LossScaleOptimizer(optimizers.Adam()), "a LossScaleOptimizer", "expected the Adam inside"),
        (lambda: optimizers.SGD(use_ema=True, ema_momentum=0.9), "use_ema is True", "Trainer.average_momentum = 0.9"),
        (lambda: optimizers.SGD(gradient_accumulation_steps=2), "steps is 2", "Trainer.accumulate_steps"),
        (lambda: optimizers.MultiOptimizer(lambda variable: optimizers.SGD()), "a MultiOptimizer", "expected one"),
        (Halves, "Halves, overrides `apply_gradients`", "expected `apply"),
        (Scales, "Scales, overrides `scale_loss`", "expected an optimizer without it"),
        (Rounds, "Rounds, overrides `finalize_variable_values`", "expected an optimizer without it"),
        (Around, "an? Around around others", "expected one"),
    ],
)
def test_what_an_optimizer_would_do_beside_the_step_is_refused(optimizer, found, instead, replicas):
    with pytest.raises(ConfigurationError, match=f"{found}.*{instead}"):
        refuse_own_work(optimizer(), replicas=replicas)


@pytest.mark.parametrize("settings", [{"clipnorm": 1.0}, {"global_clipnorm": 1.0}, {"clipvalue": 1.0}])
def test_what_keras_clips_on_each_replica_is_refused_on_several(settings):
    with pytest.raises(ConfigurationError, match=f"the optimizer's {next(iter(settings))} is 1.0"):
        refuse_own_work(optimizers.SGD(**settings), replicas=2)
    refuse_own_work(optimizers.SGD(**settings), replicas=1)


def test_all_that_is_wrong_is_named_at_once():
    with pytest.raises(ConfigurationError, match=r"(?s)loss_scale_factor.*use_ema"):
        refuse_own_work(optimizers.SGD(loss_scale_factor=2.0, use_ema=True), replicas=1)


EVERY = {
    "SGD": {"momentum": 0.9, "nesterov": True},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Adam": {"amsgrad": True},
    "AdamW": {"weight_decay": 0.1},
    "Adadelta": {},
    "Adagrad": {},
    "Adamax": {"weight_decay": 0.1},
    "Adafactor": {},
    "Ftrl": {"l1_regularization_strength": 0.01},
    "Lion": {},
    "Lamb": {},
    "Nadam": {},
    "Muon": {},
    "ScheduleFreeAdamW": {"warmup_steps": 2},
}


def test_every_optimizer_of_keras_is_among_those_tried():
    own = {name for name in dir(optimizers) if isinstance(getattr(optimizers, name), type)}
    assert own - {"Optimizer", "OptimizerMap", "LossScaleOptimizer", "MultiOptimizer"} == set(EVERY)


# On replicas each optimizer shows what it keeps; alone, those are tried that keep more than a slot for each variable.
COUNTED = [*((name, 2) for name in [*EVERY, "Centred"]), *((name, 1) for name in ("Adam", "Nadam", "Centred"))]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [*COUNTED, ("ScheduleFreeAdamW", 1)])
def test_an_optimizer_updates_as_in_a_loop_by_hand(make_trainer, data, replicas, name, count):
    kind, settings = (Centred, {}) if name == "Centred" else (getattr(optimizers, name), EVERY[name])

    def build():
        keras.utils.set_random_seed(1)
        hidden = keras.layers.Dense(4, activation="tanh", kernel_constraint=keras.constraints.MaxNorm(1.0))
        model = keras.Sequential([keras.Input([3]), hidden, keras.layers.Dense(2)])
        return model, kind(0.05, **settings)

    model, optimizer = build()
    source = ArraySource(data["x"], data["y"], shuffle=False)
    objective = Objective(data=MeanSquaredError())
    of_trainer = {"objective": objective, "train": source, "batch_size": 20, "steps": 4, "strategy": replicas(count)}
    make_trainer(model=model, optimizer=optimizer, **of_trainer).train()
    expected, by_hand = build()
    for _ in range(4):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(expected(data["x"], training=True) - data["y"]))
        by_hand.apply(tape.gradient(loss, expected.trainable_variables), expected.trainable_variables)
    for ours, value in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(ours, value, rtol=2e-4, atol=2e-5)
