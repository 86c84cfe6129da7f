"""Measuring: a task that says so is measured at each evaluation, on an ordinary model with its averaged weights."""

import numpy as np
import pytest
from tensorflow.python.distribute.values import DistributedVariable

from objectives import ConfigurationError
from trainer import Task


@pytest.fixture
def task(plain_source, dense_model):
    """A task that counts how often it is measured, and on what."""

    class Counted(Task):
        measure_at_evaluations = True
        train = eval = plain_source

        def __init__(self):
            self.seen = []

        def build_model(self):
            return dense_model()

        def measure(self, model):
            outputs = model.predict(np.ones([2, 3]), verbose=0)
            plain = not any(isinstance(variable.value, DistributedVariable) for variable in model.variables)
            self.seen.append((plain, float(model.get_layer("head").bias.numpy()[0])))
            return {"mean": float(outputs.mean()), "never": float("nan")}

    return Counted()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "momentum"),
    [(1, None), (2, 0.9), (3, None)],
)
def test_each_evaluation_has_the_measures_and_training_is_the_same(
    report, make_trainer, replicas, task, count, momentum
):
    settings = {
        "model": None,
        "train": None,
        "strategy": replicas(count),
        "average_momentum": momentum,
        "eval_every": 2,
    }
    recorder = report(task=task, **settings)
    assert recorder.steps("eval") == [2, 4, 5]
    assert len(task.seen) == 1 + 3, "once before the first step"
    assert all(plain for plain, _ in task.seen)
    assert np.isnan(recorder.column("measures/never", split="eval")).all()
    final = make_trainer(task=task, **settings)
    task.measure_at_evaluations = False
    without = make_trainer(task=task, **settings)
    values = without.train()
    last = {tag: value for tag, value in recorder.result.items() if not tag.startswith("measures/")}
    assert dict(values) == last
    with without.averaged():
        assert without.model.get_layer("head").bias.numpy()[0] == task.seen[-1][1]
    assert final.evaluate()["measures/mean"] != recorder.result["measures/mean"]


def test_the_best_by_a_measure_is_known_only_if_it_is_measured(make_trainer, task, tmp_path):
    settings = {"task": task, "model": None, "train": None, "workdir": tmp_path / "run"}
    with pytest.raises(ConfigurationError, match="^Trainer.best is '-measures/maen'; did you mean '-measures/mean'?"):
        make_trainer(best="-measures/maen", **settings).train()
    task.measure_at_evaluations = False
    with pytest.raises(ConfigurationError, match="Counted is measured at the end only; expected Counted.measure_at_ev"):
        make_trainer(best="measures/mean", **settings)


def test_a_measure_that_fails_does_so_before_the_first_step(make_trainer, task):
    task.measure = lambda model: {"mean": "high"}
    trainer = make_trainer(task=task, model=None, train=None)
    with pytest.raises(ConfigurationError, match=r"Counted.measure\(\)\['mean'\] is 'high'; expected a number"):
        trainer.train()
    assert trainer.step == 0
