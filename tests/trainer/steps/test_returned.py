"""Returned: what a kind of step returns is held against what was asked of it, before the first step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer import TrainStep


class Summed(TrainStep):
    def losses(self, totals, counts, weights):
        return self.weighted_terms(totals, counts, weights)

    def direction(self, gradients):
        return [tf.add_n(list(of_one)) for of_one in zip(*gradients, strict=True)]


def directing(change):
    """A kind of step whose direction is changed."""

    class Directed(Summed):
        def direction(self, gradients):
            return change(super().direction(gradients))

    return Directed


def losing(losses):
    """A kind of step with these losses of the means, totals and counts."""

    class Losing(Summed):
        def losses(self, totals, counts, weights):
            return losses(self.weighted_terms(totals, counts, weights), totals, counts)

    return Losing


KERNEL = r"Directed\.direction: the direction of 'hidden/kernel' is {}; expected a float32 tensor of shape \(3, 4\)"


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (
            lambda d: None,
            r"Directed\.direction returned None; expected a list with a tensor .* \(is a `return` missing",
        ),
        (lambda d: tf.zeros([4]), r"returned a float32 tensor of shape \(4,\); expected a list"),
        (lambda d: (one for one in d), "returned <generator object .*; expected a list"),
        (lambda d: d[:-1], r"returned 3 tensors; expected .* each of the 4 trainable variables.*\(hidden/kernel"),
        (lambda d: [*d, d[0]], "returned 5 tensors; expected"),
        (lambda d: [None] * 4, "returned None for every trainable variable"),
        (lambda d: [tf.reduce_sum(d[0]), *d[1:]], KERNEL.format(r"a float32 tensor of shape \(\)")),
        (lambda d: [tf.cast(d[0], tf.float16), *d[1:]], KERNEL.format(r"a float16 tensor of shape \(3, 4\)")),
        (lambda d: [np.zeros([3, 4], np.float32), *d[1:]], KERNEL.format(r"an array \(3, 4\) of float32")),
    ],
    ids=["no return", "tensor", "generator", "few", "many", "all None", "shape", "type", "array"],
)
def test_a_wrong_direction_is_refused(make_trainer, change, answer):
    with pytest.raises(ConfigurationError, match=answer):
        make_trainer(train_step=directing(change), execution="graph").dry_run()


@pytest.mark.parametrize("cut", [{}, {"accumulate_steps": 2}])
@pytest.mark.parametrize(
    ("losses", "answer"),
    [
        (lambda m, t, c: None, r"Losing\.losses returned None; expected a list with one scalar .* \(is a `return`"),
        (lambda m, t, c: m[0], r"returned a float32 tensor of shape \(\); expected a list"),
        (lambda m, t, c: [], r"returned \[\]; expected a list"),
        (lambda m, t, c: [*m, tf.stack(m)], r"loss \d is a float32 tensor of shape \(\d,\); expected a float32 scalar"),
        (lambda m, t, c: [*m, 0.0], r"loss \d is 0.0; expected a float32 scalar"),
        (lambda m, t, c: [tf.cast(m[0], tf.float64)], r"loss 0 is a float64 tensor of shape \(\)"),
        (lambda m, t, c: [*m, 0.5 * t[0]], r"loss \d depends on totals and not on counts"),
    ],
    ids=["no return", "tensor", "empty", "vector", "number", "type", "sum"],
)
def test_wrong_losses_are_refused(make_trainer, losses, answer, cut):
    with pytest.raises(ConfigurationError, match=answer):
        make_trainer(train_step=losing(losses), execution="graph", batch_size=8, **cut).dry_run()


def test_all_wrong_directions_are_named_at_once(make_trainer):
    step = directing(lambda d: [tf.reduce_sum(one) for one in d])
    with pytest.raises(ConfigurationError) as error:
        make_trainer(train_step=step, execution="graph").train()
    assert len(error.value.messages) == 4


def test_losses_that_write_are_refused(make_trainer):
    class Writing(Summed):
        def initial_values(self):
            return {"calls": 0}

        def losses(self, totals, counts, weights):
            self.own_variables["calls"].assign_add(1)
            return super().losses(totals, counts, weights)

    with pytest.raises(ConfigurationError, match=r"Writing\.losses: it writes a variable"):
        make_trainer(train_step=Writing, execution="graph").dry_run()


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_variable_without_a_direction_is_left_unchanged(make_trainer, replicas, count):
    optimizer = keras.optimizers.AdamW(0.1, weight_decay=0.5)
    step = directing(lambda d: [None, *d[1:]])
    trainer = make_trainer(train_step=step, optimizer=optimizer, strategy=replicas(count), execution="graph")
    before = trainer.model.get_weights()
    trainer.train()
    unchanged = [np.array_equal(a, b) for a, b in zip(before, trainer.model.get_weights(), strict=True)]
    assert unchanged == [True, False, False, False]


def test_variables_may_be_directions(make_trainer):
    class Constant(Summed):
        def initial_values(self):
            return {variable.path: tf.ones(variable.shape) for variable in self.trained}

        def direction(self, gradients):
            return list(self.own_variables.values())

    trainer = make_trainer(train_step=Constant, optimizer=keras.optimizers.SGD(0.5), steps=2, execution="graph")
    before = trainer.model.get_weights()
    trainer.train()
    for old, new in zip(before, trainer.model.get_weights(), strict=True):
        np.testing.assert_allclose(new, old - 1.0, atol=1e-6)
