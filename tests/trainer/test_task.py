"""Task: what a task provides has the right types, and what its methods raise is reported as theirs."""

import functools
import math
import pathlib

import keras
import numpy as np
import pytest

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, Task
from trainer.task import examples_of, measures_of, model_of, pictures_of, pictures_of_models, with_examples


@pytest.fixture
def task(plain_source):
    """A task with some methods changed."""

    def make(**changed):
        working = {
            "train": property(lambda self: plain_source),
            "eval": property(lambda self: None),
            "build_model": lambda self: keras.Sequential([keras.Input([2]), keras.layers.Dense(1)]),
            "measure": lambda self, model: {"error": 0.5},
            "draw": lambda self, model, folder: [folder / "a.png"],
        }
        return type("Mine", (Task,), {**working, **changed})()

    return make


def fail(*_):
    raise OSError("gone")


def test_what_a_task_gives_is_passed_on(task, plain_source):
    mine = task()
    assert examples_of(mine, "train") is plain_source
    assert examples_of(mine, "eval") is None
    assert isinstance(model_of(mine), keras.Model)
    assert measures_of(mine, None) == {"error": 0.5}
    assert pictures_of(mine, None, pathlib.Path("p")) == [pathlib.Path("p/a.png")]


def test_a_task_may_draw_several_models(task):
    assert pictures_of_models(task(), {"a": None}, pathlib.Path("p")) == []
    mine = task(draw_models=lambda self, models, folder: [folder / f"{name}.png" for name in models])
    assert pictures_of_models(mine, {"a": None, "b": None}, pathlib.Path("p")) == [
        pathlib.Path("p/a.png"),
        pathlib.Path("p/b.png"),
    ]
    with pytest.raises(ConfigurationError, match=r"Mine\.draw_models\(\).*gone"):
        pictures_of_models(task(draw_models=fail), {}, pathlib.Path("p"))


def test_every_measure_that_is_no_number_is_named(task):
    mine = task(measure=lambda self, model: {"a": "b", "c": 1.0, "d": math.nan})
    with pytest.raises(ConfigurationError) as error:
        measures_of(mine, None)
    assert [message.partition(" is ")[0] for message in error.value.messages] == [
        "Mine.measure()['a']",
        "Mine.measure()['d']",
    ]


def test_pictures_may_be_yielded_one_by_one(task):
    mine = task(draw=lambda self, model, folder: (folder / name for name in ("a.png", "b.png")))
    assert pictures_of(mine, None, pathlib.Path("p")) == [pathlib.Path("p/a.png"), pathlib.Path("p/b.png")]


def test_without_measure_and_draw_there_are_no_measures_and_no_pictures(task, tmp_path):
    mine = task(measure=Task.measure, draw=Task.draw)
    assert (measures_of(mine, None), pictures_of(mine, None, tmp_path)) == ({}, [])


@pytest.mark.parametrize(
    ("changed", "call", "answer"),
    [
        (
            {"train": property(lambda self: None)},
            lambda t: examples_of(t, "train"),
            "Mine.train is None; expected a",
        ),
        (
            {"train": property(fail)},
            lambda t: examples_of(t, "train"),
            r"Mine.train: .*test_task.py, line \d+: OSErr",
        ),
        ({"eval": property(lambda self: 3)}, lambda t: examples_of(t, "eval"), "Mine.eval is 3; expected a source"),
        ({"build_model": lambda self: None}, model_of, r"Mine.build_model\(\) is None; expected an instance of Model"),
        ({"build_model": fail}, model_of, r"Mine.build_model\(\): .*test_task.py, line \d+: OSError: gone"),
        ({"measure": lambda self, m: None}, lambda t: measures_of(t, 0), r"Mine.measure\(\) is None; expected"),
        (
            {"measure": lambda self, m: {"a": 1.0, "b": np.zeros(2)}},
            lambda t: measures_of(t, 0),
            r"^Mine.measure\(\)\['b'\] is an array \(2,\) of float64; expected a number$",
        ),
        (
            {"measure": lambda self, m: {"a": math.nan}},
            lambda t: measures_of(t, 0),
            r"Mine.measure\(\)\['a'\] is nan; expected a number",
        ),
        (
            {"measure": lambda self, m: {1: 1.0}},
            lambda t: measures_of(t, 0),
            r"Mine.measure\(\) has the name 1; expected text",
        ),
        ({"measure": None}, lambda t: measures_of(t, 0), r"^Mine.measure is None; expected a method measure\(self, m"),
        ({"draw": None}, lambda t: pictures_of(t, 0, 0), r"^Mine.draw is None; expected a method draw\(self, model, f"),
        (
            {"draw": lambda self, m, f: None},
            lambda t: pictures_of(t, 0, 0),
            r"Mine.draw\(\) is None; expected a list of the files that it wrote, or \[\] for none",
        ),
        ({"draw": lambda self, m, f: f}, lambda t: pictures_of(t, 0, pathlib.Path("p")), "expected a list of the fil"),
        ({"measure": fail}, lambda t: measures_of(t, 0), r"Mine.measure\(\): .*OSError: gone"),
        ({"draw": fail}, lambda t: pictures_of(t, 0, 0), r"Mine.draw\(\): .*OSError: gone"),
    ],
)
def test_what_it_may_not_give_is_reported_by_its_method(task, changed, call, answer):
    with pytest.raises(ConfigurationError, match=answer):
        call(task(**changed))


class Sums(Task):
    """A task whose model and measures depend on its data, and that remembers something computed from them."""

    @functools.cached_property
    def train(self):
        return ArraySource(np.ones([6, 2]), np.ones([6, 1]))

    @functools.cached_property
    def eval(self):
        return ArraySource(np.full([4, 2], 2.0), np.ones([4, 1]))

    @functools.cached_property
    def largest(self):
        return float(self.eval.arrays["inputs"].max())

    def build_model(self):
        return keras.Sequential([keras.Input(self.train.arrays["inputs"].shape[1:]), keras.layers.Dense(1)])

    def measure(self, model):
        return {"largest": self.largest}


def test_a_task_is_built_and_measured_on_the_data_of_the_run(make_trainer):
    task = Sums()
    assert task.largest == 2.0
    train, eval = ArraySource(np.ones([6, 3]), np.ones([6, 1])), ArraySource(np.full([4, 3], 5.0), np.ones([4, 1]))
    objective = Objective(data=MeanSquaredError())
    trainer = make_trainer(task=task, model=None, train=train, eval=eval, objective=objective)
    assert trainer.model.input_shape == (None, 3)
    assert trainer.eval is trainer.task.eval is eval
    assert measures_of(trainer.task, trainer.model) == {"largest": 5.0}
    assert (measures_of(task, None), task.train.arrays["inputs"].shape) == ({"largest": 2.0}, (6, 2))


def test_a_task_of_which_nothing_is_replaced_is_itself():
    task = Sums()
    assert with_examples(task, train=None, eval=None) is task


def test_data_that_a_task_would_not_measure_on_are_refused(task, plain_source):
    with pytest.raises(ConfigurationError, match="Mine.eval is no functools.cached_property"):
        with_examples(task(), eval=plain_source)
    mine = task(measure=Task.measure, draw=Task.draw)
    assert with_examples(mine, eval=plain_source) is mine
