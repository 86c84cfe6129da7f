"""Settings: each that cannot work is answered, all at once."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Decorrelation, MeanSquaredError, Objective
from objectives.fields import annotations_of
from trainer import ArraySource, DatasetSource, Trainer
from trainer.settings import (
    check_settings,
    refuse_cut_statistics,
    refuse_repetition,
    refuse_unbuilt,
    refuse_unknown_best,
    refuse_unread_weights,
)

ANNOTATIONS = annotations_of(Trainer.__init__)


def of_dataset(inputs, targets, sample_weight):
    return DatasetSource(lambda: tf.data.Dataset.from_tensor_slices((inputs, targets, sample_weight)))


@pytest.fixture
def settings(dense_model, objective, plain_source):
    """Settings that work, with some changed."""

    def make(**changed):
        optional = ("chunk_steps", "eval_every", "gradients_every", "checkpoint_every", "task", "eval")
        optional += ("clip_norm", "clip_value", "average_momentum")
        working = {"steps": 10, "batch_size": 4, "log_every": 2, "accumulate_steps": 1, "keep_checkpoints": 3}
        working |= {"non_finite": "raise", "non_finite_limit": 10, "workdir": None, **dict.fromkeys(optional)}
        working |= {"seed": 0, "objective": objective, "optimizer": keras.optimizers.SGD(0.1)}
        return {**working, "model": dense_model(), "train": plain_source, **changed}

    return make


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"steps": np.int64(3)},
        {"clip_norm": 0.5},
        {"clip_value": 2},
        {"accumulate_steps": 3},
        {"average_momentum": 0.0},
        {"gradients_every": 4},
        {"eval_every": 1000},
    ],
)
def test_what_can_work_is_let_through(settings, changed):
    check_settings(settings(**changed), ANNOTATIONS)


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
        ({"average_momentum": 1.0}, "Trainer.average_momentum is 1.0; expected a number from 0 to below 1"),
        ({"average_momentum": -0.1}, "Trainer.average_momentum is -0.1; expected a number from 0 to below 1"),
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
        ({"clip_norm": [1]}, "Trainer.clip_norm is [1]; expected a number above 0 or None"),
        ({"best": 3}, "Trainer.best is 3; expected text or None"),
        ({"seed": -1}, "Trainer.seed is -1; expected a whole number from 0 to 2**32 - 1"),
        ({"deterministic": "False"}, "Trainer.deterministic is 'False'; expected True or False"),
        ({"reports": "x"}, "Trainer.reports is 'x'; expected a sequence (each: an instance of Report) or None"),
        ({"optimizer": keras.optimizers.SGD}, "is the class SGD, not an object of it; write @SGD()"),
        (
            {"optimizer": keras.optimizers.SGD(-0.1)},
            "the learning rate of Trainer.optimizer is -0.1; expected a finite",
        ),
        ({"optimizer": keras.optimizers.SGD(float("inf"))}, "the learning rate of Trainer.optimizer is inf"),
        ({"gradients_every": 3}, "Trainer.gradients_every is 3; expected a multiple of log_every (2)"),
    ],
)
def test_what_cannot_is_answered(settings, changed, answer):
    with pytest.raises(ConfigurationError) as error:
        check_settings(settings(**changed), ANNOTATIONS)
    (message,) = error.value.messages
    assert answer in message


def test_all_that_cannot_is_answered_at_once(settings):
    with pytest.raises(ConfigurationError) as error:
        check_settings(settings(steps=0, log_every=-1, clip_norm=-1.0, optimizer=None, train=None), ANNOTATIONS)
    assert len(error.value.messages) == 5


def test_weights_of_examples_must_be_read_by_some_term():
    source = ArraySource(np.zeros([3, 1]), np.zeros([3, 1]), sample_weight=np.ones(3))
    with pytest.raises(ConfigurationError, match="sample_weight that no term reads"):
        refuse_unread_weights(Objective(data=MeanSquaredError()), source)
    refuse_unread_weights(Objective(data=MeanSquaredError(sample_weight="sample_weight")), source)


@pytest.mark.parametrize("make", [ArraySource, of_dataset], ids=["arrays", "dataset"])
def test_each_of_several_weights_must_be_read_by_some_term(make):
    weights = {"p": np.ones(3), "q": {"r": np.ones(3)}}
    source = make(np.zeros([3, 1]), np.zeros([3, 1]), sample_weight=weights)

    def reading(*keys):
        return Objective(**{f"t{i}": MeanSquaredError(sample_weight=key) for i, key in enumerate(keys)})

    refuse_unread_weights(reading("sample_weight.p", "sample_weight.q.r"), source)
    refuse_unread_weights(reading("sample_weight.*"), source)
    with pytest.raises(
        ConfigurationError, match=r"has a sample_weight\.q\.r that no term reads; .*='sample_weight\.q\.r'"
    ):
        refuse_unread_weights(reading("sample_weight.p"), source)
    with pytest.raises(ConfigurationError, match=r"a sample_weight\.p and a sample_weight\.q\.r that no term reads"):
        refuse_unread_weights(Objective(data=MeanSquaredError()), source)


def test_a_statistic_of_the_whole_batch_must_see_it_whole():
    objective = Objective(data=MeanSquaredError(), apart=Decorrelation(features="outputs"))
    refuse_cut_statistics(objective, 1)
    refuse_cut_statistics(Objective(data=MeanSquaredError()), 3)
    with pytest.raises(
        ConfigurationError, match="term 'apart' is a statistic of the whole batch.*accumulate_steps = 3"
    ):
        refuse_cut_statistics(objective, 3)


def test_a_model_must_know_the_shape_of_its_inputs(dense_model):
    refuse_unbuilt(dense_model())
    with pytest.raises(ConfigurationError, match="the model 'late' is not built; call it once"):
        refuse_unbuilt(keras.Sequential([keras.layers.Dense(1)], name="late"))


@pytest.mark.parametrize("best", [None, "loss/total", "terms/data/raw", "-terms/small/weighted"])
def test_the_best_is_known_by_any_tag_of_evaluation(objective, plain_source, best):
    refuse_unknown_best(best, objective, plain_source)


def test_the_best_by_an_unknown_tag_is_answered_with_the_nearest(objective, plain_source):
    with pytest.raises(ConfigurationError, match="^Trainer.best is '-terms/dat/raw'; did you mean 'terms/data/raw'?"):
        refuse_unknown_best("-terms/dat/raw", objective, plain_source)


def test_the_best_of_nothing_evaluated_is_refused(objective):
    with pytest.raises(ConfigurationError, match="^Trainer.best is 'loss/total', and nothing is evaluated"):
        refuse_unknown_best("loss/total", objective, None)


def test_a_batch_that_holds_each_example_again_and_again_is_refused(plain_source):
    refuse_repetition(64, plain_source)
    with pytest.raises(ConfigurationError, match="is 100,000,000, .* have 20 examples, .* 5,000,000 times"):
        refuse_repetition(10**8, plain_source)
