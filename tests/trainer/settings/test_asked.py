"""Asked: what was chosen is told, and what nobody chose is not."""

import keras

from objectives import ActivationPenalty, MeanSquaredError, Objective, schedules
from trainer.settings.asked import asked
from trainer.settings.changes import describe


def test_defaults_are_left_out_but_for_weights_rates_and_what_every_run_is_asked_for():
    settings = {
        "objective": Objective(
            data=MeanSquaredError(),
            small=ActivationPenalty(
                activation="activations.hidden", weight=schedules.Linear(first=0.0, last=1.0, steps=5)
            ),
        ),
        "optimizer": keras.optimizers.Adam(beta_1=0.5),
        "batch_size": 64,
        "clip_norm": 1.0,
        "clip_value": None,
        "precision": "float32",
    }
    assert asked(describe(settings), settings) == {
        "Trainer": {"objective": "Objective", "optimizer": "Adam", "batch_size": "64", "clip_norm": "1"},
        "Objective": {"data": "MeanSquaredError", "small": "ActivationPenalty"},
        "Objective.data = MeanSquaredError": {"weight": "1"},
        "Objective.small = ActivationPenalty": {"weight": "Linear", "activation": "'activations.hidden'"},
        "Objective.small.weight = Linear": {"start": "0", "end": "None", "first": "0", "last": "1", "steps": "5"},
        "Trainer.optimizer = Adam": {"learning_rate": "0.001", "beta_1": "0.5"},
    }


def test_a_trainer_with_optimizers_for_groups_has_no_optimizer_to_compare():
    settings = {"objective": Objective(data=MeanSquaredError()), "optimizer": None, "batch_size": 8}
    assert asked(describe(settings), settings)["Trainer"] == {"objective": "Objective", "batch_size": "8"}
