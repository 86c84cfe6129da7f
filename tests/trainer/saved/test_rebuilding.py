"""Rebuilding: a run is built again by its own bindings, modules and precision, wherever its folder is."""

import json
import sys

import keras
import pytest

from objectives import ConfigurationError
from trainer import load_run
from trainer.saved.rebuilding import changes_of


def test_its_modules_are_found_where_the_run_found_them(run_folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "saved_run_task")
    environment = json.loads((run_folder / "environment.json").read_text())
    assert [*environment["modules"]] == ["saved_run_task"]
    project = environment["modules"]["saved_run_task"]
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != project])
    environment["modules"] = {"saved_run_task": str(tmp_path / "gone")}
    (run_folder / "environment.json").write_text(json.dumps(environment))
    with pytest.raises(ConfigurationError, match="used the module 'saved_run_task', which was in .*gone"):
        _ = load_run(run_folder).model


def test_layers_have_the_precision_of_the_run(run_folder):
    model = load_run(run_folder, gin_params=["Trainer.precision = 'mixed_bfloat16'"]).model
    assert model.get_layer("hidden").compute_dtype == "bfloat16"
    assert keras.mixed_precision.dtype_policy().name == "float32"


def test_bindings_without_a_model_are_told(run_folder):
    with pytest.raises(ConfigurationError, match=r"neither Trainer.task nor Trainer.model is bound"):
        _ = load_run(run_folder, gin_params=["Trainer.task = None"]).model


def test_a_run_of_several_workers_is_evaluated_by_one_process(run_folder):
    config = run_folder / "config.gin"
    config.write_text(config.read_text() + "\nTrainer.strategy = 'multi_worker'\n")
    with load_run(run_folder).rebuilt() as trainer:
        assert trainer._strategy.num_replicas_in_sync == 4  # all devices of this process


def test_what_rebuilding_itself_changes_is_no_change_of_the_run(run_folder):
    with load_run(run_folder, gin_params=["Trainer.callbacks = ()", "Trainer.execution = 'xla_step'"]).rebuilt() as own:
        assert changes_of(own, run_folder) == []
    other = ["Sums.examples = 30", "ActivationPenalty.norm = 'l2'"]
    with load_run(run_folder, gin_params=other).rebuilt() as trainer:
        norm, examples, data = changes_of(trainer, run_folder)
    assert norm == "ActivationPenalty.norm (Objective.small): 'l1' -> 'l2'"
    assert examples == "Sums.examples (Trainer.task): 20 -> 30"
    assert data == "training data: other examples, which are not evaluated"


@pytest.mark.slow
def test_the_execution_of_the_run_is_taken_on_as_many_replicas(run_folder):
    (run_folder / "execution.json").write_text(
        json.dumps({"replicas": 4, "execution": "xla_step", "reason": "measured"})
    )
    config = run_folder / "config.gin"
    for before, strategy, expected in (("graph", "mirrored", "graph"), ("auto", "mirrored", "xla_step")):
        config.write_text(config.read_text().replace("execution = 'graph'", f"execution = '{before}'"))
        with load_run(run_folder, gin_params=[f"Trainer.strategy = '{strategy}'"]).rebuilt() as trainer:
            assert trainer.execution == expected
