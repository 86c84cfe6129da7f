"""Parameters: those of a callback are what it was made with, whatever training has made of it."""

import keras

from trainer.callbacks.parameters import parameters_of


class Own(keras.callbacks.Callback):
    """Keeps its parameter under another name."""

    def __init__(self, factor):
        super().__init__()
        self._scale, self.seen = factor, 0


def test_training_changes_none_of_those_of_keras():
    callback = keras.callbacks.EarlyStopping(patience=3, min_delta=0.1)
    before = parameters_of(callback)
    assert before == {
        "monitor": "val_loss",
        "mode": "auto",
        "min_delta": 0.1,
        "patience": 3,
        "baseline": None,
        "restore_best_weights": False,
        "start_from_epoch": 0,
    }
    callback.min_delta, callback.wait, callback.best = -0.1, 2, 0.5
    assert parameters_of(callback) == before


def test_those_of_a_class_of_ones_own_are_all_attributes_as_they_were_first():
    callback = Own(0.5)
    assert parameters_of(callback) == {"_scale": 0.5, "seen": 0}
    callback.seen = 7
    assert parameters_of(callback) == {"_scale": 0.5, "seen": 0}


def test_the_functions_of_a_lambda_callback_are_parameters():
    assert parameters_of(keras.callbacks.LambdaCallback(on_epoch_end=print)) == {"on_epoch_end": print}


def test_those_of_a_callback_within_a_callback_are_compared_too():
    callback = Own(keras.callbacks.EarlyStopping(patience=4))
    found = parameters_of(callback)
    assert (found["_scale.patience"], found["_scale.monitor"], found["seen"]) == (4, "val_loss", 0)
