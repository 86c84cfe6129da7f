"""The configuration of a saved run: its text, and its bindings without a module being imported."""

import pytest

from objectives import ConfigurationError
from trainer.saved import configuration


def test_bindings_have_their_scopes_and_references_are_text(tmp_path):
    (tmp_path / "config.gin").write_text(
        "import nowhere\n\nlength = 10\nnear/RangeHinge.weight = 0.5\nTrainer.steps = %length\n"
        "Objective.near = @near/RangeHinge()\nTrainer.train_step = @nowhere.Step\nTrainer.reports = [@Mine()]\n"
    )
    read = configuration.read(tmp_path)
    assert read.bindings == {
        "length": 10,
        "near/RangeHinge.weight": 0.5,
        "Trainer.steps": "%length",
        "Objective.near": "@near/RangeHinge()",
        "Trainer.train_step": "@nowhere.Step",
        "Trainer.reports": ["@Mine()"],
    }
    assert read.is_of_gin


def test_a_run_of_python_has_none(tmp_path):
    (tmp_path / "config.gin").write_text("# Built in Python, not from gin:\n# Objective(data=MeanSquaredError())\n")
    assert not configuration.read(tmp_path).is_of_gin


def test_a_folder_without_the_file_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match=r"config.gin' does not exist; expected the configuration of the run"):
        configuration.read(tmp_path)
