"""Epochs: callbacks decide as in Keras, once for each evaluation, wherever a run is stopped and resumed."""

import keras
import numpy as np
import pytest

from trainer import ArraySource
from trainer.checkpoints.checkpoints import Checkpoints
from trainer.reports import JsonLines, jsonl


class Noted(keras.callbacks.Callback):
    """Keeps the names and the arguments of all its calls, in checkpoints too."""

    def __init__(self):
        super().__init__()
        self.calls, self.logs = [], []

    def on_train_begin(self, logs=None):
        self.began = True

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(("begin", epoch))

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(("end", epoch))
        self.logs.append(dict(logs))

    def on_train_end(self, logs=None):
        self.calls.append(("finish", None))


@pytest.fixture
def noisy(data):
    """Evaluation data on which a model soon gets worse."""
    return ArraySource(data["x"][:11], data["y"][:11][::-1].copy())


@pytest.fixture
def run(make_trainer, noisy, replicas):
    """Makes a trainer whose evaluations fall and rise; log records, chunks and checkpoints end at other steps."""

    def make(*callbacks, count=1, rate=0.05, **settings):
        settings = {
            "eval": noisy,
            "optimizer": keras.optimizers.Adam(rate),
            "steps": 60,
            "eval_every": 4,
            "log_every": 7,
            "chunk_steps": 3,
            "checkpoint_every": 6,
            **settings,
        }
        return make_trainer(callbacks=callbacks, strategy=replicas(count), **settings)

    return make


def evaluations(recorder):
    return {line.step: line.values["loss/total"] for line in recorder.lines if line.split == "eval"}


def test_an_epoch_is_the_time_between_two_evaluations(run, recorder):
    noted = Noted()
    trainer = run(noted, steps=10, reports=[recorder], log_every=1)
    trainer.train()
    assert noted.calls == [
        ("begin", 0),
        ("end", 0),
        ("begin", 1),
        ("end", 1),
        ("begin", 2),
        ("end", 2),
        ("finish", None),
    ]
    assert noted.model is trainer.model
    assert noted.params["epochs"] == 3
    rows = np.array(recorder.column("loss/total"))
    found = evaluations(recorder)
    for logs, step, first in zip(noted.logs, (4, 8, 10), (0, 4, 8), strict=True):
        assert logs["loss/total"] == logs["val_loss"] == found[step]
        assert logs["train/loss/total"] == logs["loss"] == pytest.approx(rows[first:step].mean(), rel=1e-6)
        assert logs["optimizer/learning_rate"] == pytest.approx(0.05)
        assert "terms/data/raw" in logs
        assert "train/terms/data/raw" in logs


def test_early_stopping_stops_where_that_of_keras_would_and_not_again(run, recorder, tmp_path):
    stopping = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    trainer = run(stopping, workdir=tmp_path / "run", reports=[recorder, JsonLines()])
    values = trainer.train()
    found = evaluations(recorder)
    steps = sorted(found)
    best = min(steps[:-1], key=found.__getitem__)
    assert trainer.step == best + 8 < 60
    assert jsonl.read(tmp_path / "run")[-2].step == trainer.step  # the steps since the last record are not lost
    assert values["loss/total"] == found[trainer.step] == trainer.evaluate()["loss/total"]
    assert values["loss/total"] == pytest.approx(stopping.best)
    kept = Checkpoints(tmp_path / "run" / "checkpoints").latest()
    assert (kept.step, kept.progress["stopped_by"]) == (trainer.step, "EarlyStopping")
    assert kept.value("loss/total") == values["loss/total"]
    again = run(keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True), workdir=tmp_path / "run")
    assert again.train()["loss/total"] == values["loss/total"]
    assert again.step == trainer.step
    assert [array.tolist() for array in again.model.get_weights()] == [
        array.tolist() for array in trainer.model.get_weights()
    ]
