"""Settings: each is declared once, and those that cannot work are refused, all at once."""

import inspect

import keras
import numpy as np
import pytest

from objectives import ConfigurationError, MeanSquaredError
from trainer import Trainer
from trainer.reports import Terminal
from trainer.settings.settings import declarations, require_sound
from trainer.steps.weighted_sum import WeightedSum


@pytest.fixture
def settings(dense_model, objective, plain_source):
    """Settings that work, with some changed."""

    def make(**changed):
        optional = ("chunk_steps", "eval_every", "gradients_every", "checkpoint_every", "task", "eval")
        optional += ("clip_norm", "clip_value", "average_momentum")
        working = {"steps": 10, "batch_size": 4, "log_every": 2, "accumulate_steps": 1, "keep_checkpoints": 3}
        working |= {"non_finite": "raise", "non_finite_limit": 10, "workdir": None, **dict.fromkeys(optional)}
        working |= {"seed": 0, "reports": (), "callbacks": (), "objective": objective, "optimizers": ()}
        working |= {
            "optimizer": keras.optimizers.SGD(0.1),
            "train_step": WeightedSum,
            "balancer": None,
            "players": None,
        }
        return {**working, "model": dense_model(), "train": plain_source, **changed}

    return make


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"steps": np.int64(3)},
        {"clip_norm": 0.5},
        {"clip_norm": 1.2e-38},
        {"clip_value": np.float64(3.4e38)},
        {"seed": np.uint32(2**32 - 1)},
        {"clip_value": 2},
        {"accumulate_steps": 3},
        {"average_momentum": 0.0},
        {"gradients_every": 4},
        {"eval_every": 1000},
    ],
)
def test_what_can_work_is_let_through(settings, changed):
    require_sound(settings(**changed))


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"steps": 0}, "Trainer.steps is 0; expected a whole number above 0"),
        ({"steps": "10"}, "Trainer.steps is '10'; expected a whole number above 0"),
        ({"batch_size": 2.5}, "Trainer.batch_size is 2.5; expected a whole number above 0"),
        ({"eval_every": -1}, "Trainer.eval_every is -1"),
        ({"accumulate_steps": 0}, "Trainer.accumulate_steps is 0; expected a whole number above 0"),
        ({"clip_norm": 0}, "Trainer.clip_norm is 0; expected a number above 0"),
        ({"clip_value": -0.5}, "Trainer.clip_value is -0.5; expected a number above 0"),
        ({"average_momentum": 1.0}, "Trainer.average_momentum is 1.0; expected a number of at least 0 and below 1"),
        ({"average_momentum": -0.1}, "Trainer.average_momentum is -0.1; expected a number of at least 0 and below 1"),
        ({"objective": MeanSquaredError()}, "expected an instance of Objective"),
        ({"optimizer": "adam"}, "Trainer.optimizer is 'adam'; expected an instance of Optimizer"),
        ({"model": None}, "Trainer has no model; give it a task, or model=... itself"),
        ({"model": None, "train": None}, "Trainer has no model and no train"),
        (
            {"train": np.zeros(3)},
            "Trainer.train is an array (3,) of float64; expected a source, such as ArraySource(x, y)",
        ),
        ({"eval": "digits"}, "Trainer.eval is 'digits'; expected a source"),
        ({"steps": None}, "Trainer.steps is None; expected a whole number above 0"),
        ({"steps": True}, "Trainer.steps is True; expected a whole number above 0"),
        ({"gradients_every": "2"}, "Trainer.gradients_every is '2'; expected a whole number above 0 or None"),
        (
            {"clip_norm": [1]},
            "Trainer.clip_norm is [1]; expected a number above 0 in the range of float32, 1.2e-38 to 3.4e+38, or None",
        ),
        ({"clip_norm": 1e39}, "Trainer.clip_norm is 1e+39; expected a number above 0 in the range of float32"),
        ({"clip_norm": 1e-46}, "Trainer.clip_norm is 1e-46; expected a number above 0 in the range of float32"),
        ({"clip_norm": np.inf}, "Trainer.clip_norm is inf; expected a number above 0 in the range of float32"),
        ({"clip_value": np.inf}, "Trainer.clip_value is inf; expected a number above 0 in the range of float32"),
        ({"clip_value": 10**400}, "expected a number above 0 in the range of float32"),
        ({"best": 3}, "Trainer.best is 3; expected text or None"),
        ({"seed": -1}, "Trainer.seed is -1; expected a whole number from 0 to 2**32 - 1"),
        ({"deterministic": "False"}, "Trainer.deterministic is 'False'; expected True or False"),
        ({"callbacks": "x"}, "Trainer.callbacks is 'x'; expected a list of callbacks of Keras, such as"),
        ({"metrics": "auc"}, "Trainer.metrics is 'auc'; expected metrics by name, such as"),
        ({"reports": "x"}, "Trainer.reports is 'x'; expected a sequence (each item: an instance of Report)"),
        ({"reports": [Terminal]}, "Trainer.reports holds the class Terminal, not an object of it; write @Terminal()"),
        ({"default_reports": None}, "Trainer.default_reports is None; expected True or False"),
        ({"optimizer": keras.optimizers.SGD}, "not an object of it; write @keras.optimizers.SGD() in a gin file"),
        (
            {"optimizer": keras.optimizers.SGD(-0.1)},
            "the learning rate of Trainer.optimizer is -0.1; expected a finite",
        ),
        ({"optimizer": keras.optimizers.SGD(float("inf"))}, "the learning rate of Trainer.optimizer is inf"),
        ({"gradients_every": 3}, "Trainer.gradients_every is 3; expected a multiple of log_every (2)"),
    ],
)
def test_what_cannot_is_refused(settings, changed, answer):
    with pytest.raises(ConfigurationError) as error:
        require_sound(settings(**changed))
    (message,) = error.value.messages
    assert answer in message


def test_all_that_cannot_is_refused_at_once(settings):
    with pytest.raises(ConfigurationError) as error:
        require_sound(settings(steps=0, log_every=-1, clip_norm=-1.0, optimizer=None, train=None))
    assert len(error.value.messages) == 5


def test_settings_that_there_are_not_are_refused_with_the_nearest_name():
    with pytest.raises(ConfigurationError, match="has no 'eval_evry'; did you mean 'eval_every'?.*\n.*'stpes'"):
        Trainer(eval_evry=3, stpes=2)


def test_every_setting_is_described_in_the_docstring_of_the_trainer():
    parameters = inspect.signature(Trainer).parameters
    assert [*parameters] == [*declarations()]
    assert [name for name, known in declarations().items() if f"{name}: {known.meaning}." not in Trainer.__doc__] == []


def test_what_a_run_learns_may_not_change_when_it_resumes():
    assert {name for name, known in declarations().items() if not known.may_change} == {
        *(
            "objective",
            "optimizer",
            "optimizers",
            "trainable",
            "train_step",
            "balancer",
            "players",
            "task",
            "model",
            "train",
            "seed",
        ),
        *("batch_size", "execution", "clip_norm", "clip_value", "accumulate_steps", "precision", "average_momentum"),
        "deterministic",
        "callbacks",
    }
