"""Callbacks of random configurations: as those of a run, and driven by hand by what the run has logged."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from termwise.verification.fuzzing.configurations import STEPS, Configuration


def callbacks_of(configuration: Configuration) -> list[keras.callbacks.Callback]:
    """Returns new callbacks, which most runs are too short to please: they stop some, and lower the learning rate."""
    makers = {
        "early stopping": lambda: keras.callbacks.EarlyStopping(
            "val_loss", min_delta=0.05, patience=1, restore_best_weights=configuration.average_momentum is None
        ),
        "plateau": lambda: keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1, min_delta=0.05),
        "schedule": lambda: keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * (0.9 if epoch else 1.0)),
    }
    return [makers[name]() for name in sorted(configuration.callbacks)]


class ByHand:
    """The callbacks beside a plain loop, which gives them the evaluations of the run, so that they decide alike."""

    def __init__(self, configuration: Configuration, model: keras.Model, optimizer: keras.optimizers.Optimizer):
        """Takes the model of the loop, whose weights and learning rate they set."""
        self._every, self._model = configuration.eval_every or STEPS, model
        self.callbacks = callbacks_of(configuration)
        model.compile(optimizer, auto_scale_loss=False)
        model.stop_training = False
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params({"epochs": -(-STEPS // self._every), "steps": self._every, "verbose": 0})
            callback.on_train_begin({})

    def before(self, step: int) -> None:
        """Begins an epoch, if the update after `step` updates is the first of one."""
        if step % self._every == 0:
            for callback in self.callbacks:
                callback.on_epoch_begin(step // self._every, {})

    def after(self, step: int, evaluations: Mapping[int, Sequence[Mapping[str, float]]]) -> bool:
        """Ends an epoch, if one ends after `step` updates, and the run, if it does; whether that is so."""
        if step % self._every == 0 or step == STEPS:
            logs = {"val_loss": evaluations[step][0]["loss/total"]} if self.callbacks else {}
            for callback in self.callbacks:
                callback.on_epoch_end(-(-step // self._every) - 1, dict(logs))
        ends = bool(self._model.stop_training) or step == STEPS
        for callback in self.callbacks if ends else ():
            callback.on_train_end({})
        return ends


def counts(callbacks: Sequence[keras.callbacks.Callback]) -> list[dict[str, Any]]:
    """Returns what each callback has counted: its attributes that are numbers."""
    return [{name: value for name, value in vars(one).items() if isinstance(value, int | float)} for one in callbacks]
