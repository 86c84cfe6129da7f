"""Steps of one's own: their state is the run's, and what they hide of a gradient that overflows is not hidden."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ActivationPenalty, ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, Trainer, TrainStep
from trainer.steps.precision import building_in

EXAMPLES = np.linspace(-1, 1, 24, dtype=np.float32).reshape(8, 3)


class Weighted(TrainStep):
    def losses(self, totals, counts, weights):
        return [tf.add_n(list(self.weighted_terms(totals, counts, weights)))]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slowing(Weighted):
    """Divides the gradient by the number of the update, which it counts itself."""

    def __post_init__(self):
        object.__setattr__(self, "done", tf.Variable(0.0, trainable=False))

    @property
    def variables(self):
        return [*super().variables, self.done]

    def direction(self, gradients):
        count = tf.convert_to_tensor(self.done.assign_add(1.0))
        return [gradient / count for gradient in gradients[0]]


class Bounded(Weighted):
    def direction(self, gradients):
        return [tf.clip_by_value(gradient, -1.0, 1.0) for gradient in gradients[0]]


class Noisy(Weighted):
    def direction(self, gradients):
        return [gradient * keras.random.uniform(gradient.shape, seed=7) for gradient in gradients[0]]


@pytest.fixture
def make():
    def make(train_step, **settings):
        keras.utils.set_random_seed(1)
        inputs = keras.Input([3])
        hidden = keras.layers.Dense(4, activation="tanh", name="hidden")(inputs)
        model = keras.Model(inputs, keras.layers.Dense(2)(hidden))
        objective = Objective(data=MeanSquaredError(), small=ActivationPenalty(activation="activations.*", weight=0.1))
        return Trainer(
            model=model,
            objective=objective,
            optimizer=keras.optimizers.SGD(0.1),
            train=ArraySource(EXAMPLES, EXAMPLES[:, :2]),
            batch_size=4,
            train_step=train_step,
            default_reports=False,
            strategy="one_device",
            **settings,
        )

    return make


@pytest.mark.slow
def test_state_of_a_step_is_resumed_where_a_term_has_stars(make, tmp_path):
    whole = make(Slowing, steps=6)
    whole.train()
    make(Slowing, steps=6, workdir=tmp_path).train(until=3)
    resumed = make(Slowing, steps=6, workdir=tmp_path)
    resumed.train()
    for expected, found in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_gradient_that_overflows_is_left_out_though_the_direction_hides_it():
    """The small true gradient is reached through a large one, whose scaled value is beyond float16."""
    with building_in("mixed_float16"):
        model = keras.Sequential([keras.Input([3]), keras.layers.Dense(2, use_bias=False, kernel_initializer="zeros")])
    trainer = Trainer(
        model=model,
        objective=Objective(data=MeanSquaredError()),
        optimizer=keras.optimizers.SGD(1.0),
        train=ArraySource(np.full([8, 3], 1e-3, np.float32), np.full([8, 2], -30.0, np.float32)),
        batch_size=8,
        steps=1,
        train_step=Bounded,
        precision="mixed_float16",
        default_reports=False,
        strategy="one_device",
    )
    assert "optimizer/grad_norm" not in trainer.train()
    np.testing.assert_array_equal(model.get_weights()[0], np.zeros([3, 2]))


@pytest.mark.slow
def test_random_numbers_of_a_direction_are_the_same_in_every_execution(make):
    graph, xla = make(Noisy, steps=3, execution="graph"), make(Noisy, steps=3, execution="xla_loop")
    graph.train(), xla.train()
    for expected, found in zip(graph.model.get_weights(), xla.model.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def step_with(rate, power):
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Rated(Weighted):
        scale = rate

        def __post_init__(self):
            object.__setattr__(self, "power", power)

        def direction(self, gradients):
            return [self.scale**self.power * gradient for gradient in gradients[0]]

    return Rated


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "line"), [((0.5, 1), r"Rated.scale .*: 1 -> 0.5"), ((1.0, 2), r"Rated.power .*: 1 -> 2")]
)
def test_an_attribute_of_the_class_or_of_its_post_init_that_changed_is_refused_on_resume(make, tmp_path, changed, line):
    make(step_with(1.0, 1), steps=4, workdir=tmp_path).train(until=2)
    make(step_with(1.0, 1), steps=4, workdir=tmp_path)
    with pytest.raises(ConfigurationError, match=line):
        make(step_with(*changed), steps=4, workdir=tmp_path)
