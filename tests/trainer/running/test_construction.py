"""The parts of a run are made of the settings of its trainer."""

import keras
import numpy as np
import pytest

from objectives import ConfigurationError
from trainer import ArraySource, ConfusionMatrix, KerasMetric, Measure, Metrics, Task
from trainer.devices.strategy import place
from trainer.running.construction import make_program, make_run, make_step


@pytest.fixture
def make(make_trainer, plain_source, replicas):
    """Makes the parts of a run of some settings, in a folder or without one."""

    def make(folder, **settings):
        trainer, placement = make_trainer(**settings), place(replicas(2))
        step = make_step(trainer, placement.strategy)
        program = make_program(
            trainer, step, placement.strategy, train=plain_source, eval=trainer.eval, execution="graph"
        )
        return make_run(
            trainer, step, program, placement=placement, workdir=folder, description={}, changes=["steps: 5 -> 6"]
        )

    return make


def test_a_run_saves_only_where_it_has_a_folder(make, tmp_path):
    assert make(None).saver is None
    saver = make(tmp_path).saver
    assert saver is not None
    assert saver.latest_step == 0


def test_a_run_has_the_settings_of_its_trainer_and_begins_at_the_first_step(make, plain_source):
    run = make(None, eval=plain_source, steps=6, non_finite="skip")
    assert (run.done, run.non_finite.policy, run.program.data.evaluates) == (0, "skip", True)
    assert (run.opening.steps, run.opening.changes) == (6, ["steps: 5 -> 6"])
    assert run.strategy.num_replicas_in_sync == 2


def test_it_is_told_which_way_measures_get_better(make, plain_source):
    measures = {"error": Measure("in km", "less"), "found": Measure("in all", "more"), "bias": Measure("a ratio", 1.0)}
    task = type("Guessing", (Task,), {"train": None, "eval": None, "build_model": None, "measures": measures})()
    metrics = Metrics(auc=KerasMetric(metric=keras.metrics.AUC()))
    opening = make(None, eval=plain_source, task=task, metrics=metrics).opening
    assert opening.directions == {"metrics/auc": "max", "measures/error": "min", "measures/found": "max"}
    type(task).measures = {"error": "in km"}
    with pytest.raises(ConfigurationError, match=r"Guessing.measures is .*; expected a dict of Measure by name"):
        make(None, task=task)


@pytest.mark.slow
def test_metrics_have_the_names_that_the_evaluation_data_give_to_classes(make, data):
    class Animals(ArraySource):
        class_names = {"targets": ("cat", "dog")}

    source = Animals(data["x"], (data["y"] > 0).astype(np.int32))
    program = make(None, eval=source, metrics=Metrics(table=ConfusionMatrix(classes=2, y_pred="targets"))).program
    program.evaluator.evaluate(0)
    assert program.evaluator.pictures[0].data["labels"] == ["cat", "dog"]
