"""Assembly: what a step is made of, and what a checkpoint must hold of it."""

import dataclasses
import functools

import keras
import pytest

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer.steps.assembly import assemble
from trainer.steps.train_step import TrainStep
from trainer.steps.weighted_sum import WeightedSum


@pytest.fixture
def make_step(dense_model, objective, replicas):
    """Assembles a step of plain settings, each of which may be given."""

    def make(**settings):
        settings = {
            "model": dense_model(),
            "objective": objective,
            "optimizer": keras.optimizers.SGD(0.1),
            "optimizers": (),
            "balancer": None,
            "players": None,
            "precision": "float32",
            "batch_size": 6,
            "accumulate_steps": 1,
            "clip_norm": None,
            "clip_value": None,
            "average_momentum": None,
            "allow_unreached": False,
            **settings,
        }
        return assemble(replicas(2), **{"train_step": WeightedSum, "balancer": None, **settings})

    return make


def test_a_plain_step_has_no_state_of_its_own(make_step):
    step = make_step()
    assert (step.loss_scale, step.average, step.variables) == (None, None, [])


def test_a_loss_scale_is_kept_for_float16_alone(make_step):
    assert make_step(precision="mixed_bfloat16").loss_scale is None
    step = make_step(precision="mixed_float16")
    assert step.variables == step.loss_scale.variables


def test_an_average_has_a_variable_for_each_weight(make_step, dense_model):
    model = dense_model()
    step = make_step(model=model, average_momentum=0.9)
    assert [v.shape for v in step.variables] == [v.shape for v in model.trainable_variables]


def test_a_key_that_the_model_has_not_is_named(make_step):
    with pytest.raises(ConfigurationError, match="did you mean 'activations.hidden'"):
        make_step(objective=Objective(data=MeanSquaredError(y_pred="activations.hiden")))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Powered(WeightedSum):
    """A kind of step with a setting."""

    power: float = 1.0


class Incomplete(TrainStep):
    def losses(self, totals, counts, weights):
        return self.weighted_terms(totals, counts, weights)


class Forgetful(WeightedSum):
    power: float = 1.0


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (Incomplete, "Incomplete does not define direction"),
        (Forgetful, "Forgetful is not a dataclass itself"),
        (functools.partial(Powered, power="a"), "Powered.power is 'a'; expected a number"),
    ],
)
def test_a_kind_of_step_that_cannot_be_made_is_refused(make_step, kind, answer):
    with pytest.raises(ConfigurationError, match=answer):
        make_step(train_step=kind)


@pytest.mark.parametrize("fields", [{}, {"power": 2.0}])
def test_only_a_trainer_makes_the_object(fields):
    with pytest.raises(ConfigurationError, match=r"Powered: .* write @Powered instead of @Powered\(\) .* train_step=P"):
        Powered(**fields)
