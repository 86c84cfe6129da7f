"""Hyperparameters: only what a table can compare, with its type."""

import pathlib

import pytest
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.metadata import parse_session_end_info_plugin_data

from trainer.reports.tensorboard.hyperparameters import hyperparameters, session_end, session_start


def test_texts_become_values_of_their_types_and_what_is_no_column_is_left_out():
    settings = {
        "Trainer": {"batch_size": "32", "deterministic": "False", "precision": "'float32'", "optimizer": "Adam"},
        "Trainer.optimizer = Adam": {"learning_rate": "1e-07", "clipnorm": "None", "betas": "(0.9, 0.999)"},
        "Objective.a = Costs": {"weight": "0.5", "costs": str(tuple(range(100))), "mask": "''", "limit": "inf"},
        "Model.layer 1 = Dense": {"units": "32"},
        "training data": {"examples": "512"},
    }
    assert hyperparameters(settings) == {
        "1 Trainer.batch_size": 32.0,
        "Trainer.deterministic": False,
        "Trainer.precision": "float32",
        "Trainer.optimizer": "Adam",
        "1 Trainer.optimizer.learning_rate": 1e-7,
        "Trainer.optimizer.betas": "(0.9, 0.999)",
        "2 Objective.a.weight": 0.5,
        "Objective.a.limit": "inf",
    }


def test_a_run_of_no_settings_is_a_row_too():
    assert [value.tag for value in session_start({}, pathlib.Path("runs/a")).value] == ["_hparams_/session_start_info"]


@pytest.mark.parametrize(("is_complete", "status"), [(True, api_pb2.STATUS_SUCCESS), (False, api_pb2.STATUS_FAILURE)])
def test_a_run_that_ended_is_a_success_or_a_failure(is_complete, status):
    (value,) = session_end(is_complete=is_complete).value
    assert parse_session_end_info_plugin_data(value.metadata.plugin_data.content).status == status
