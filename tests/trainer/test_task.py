"""Task: what a task provides has the right types, and what its methods raise is reported as theirs."""

import math
import pathlib

import keras
import numpy as np
import pytest

from objectives import ConfigurationError
from trainer import Task
from trainer.task import examples_of, measures_of, model_of, pictures_of


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
