"""Kills: a run that early stopping ends is killed about its last evaluation, and ends at the same step and bits."""

import pathlib
import runpy
import signal

import numpy as np
import pytest

from trainer.checkpoints.checkpoints import Checkpoints
from trainer.reports import jsonl

ROOT = pathlib.Path(__file__).parents[3]

PROGRAM = '''
import os, pathlib, signal, sys
import keras, numpy as np
from objectives import MeanSquaredError, Objective
from trainer import ArraySource, Trainer
from trainer.checkpoints.saver import Saver
from trainer.devices.strategy import configure_logical_devices, mirrored
from trainer.executions.evaluator import Evaluator
from trainer.executions.program import Program

def make(folder):
    keras.utils.set_random_seed(3)
    layers = [keras.Input([4]), keras.layers.Dense(16, "relu"), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
    x = np.random.default_rng(0).normal(size=[48, 4]).astype(np.float32)
    noise = np.random.default_rng(1).normal(size=[48, 1]).astype(np.float32)
    return Trainer(
        model=keras.Sequential(layers), objective=Objective(data=MeanSquaredError()),
        optimizer=keras.optimizers.Adam(0.1), train=ArraySource(x[:24], x[:24, :1] + noise[:24]),
        eval=ArraySource(x[24:], x[24:, :1] + noise[24:]), strategy=mirrored(["CPU:0", "CPU:1"]), execution="graph",
        batch_size=8, steps=200, eval_every=5, checkpoint_every=7, chunk_steps=3, log_every=4, average_momentum=0.8,
        workdir=folder / "run",
        callbacks=[
            keras.callbacks.ReduceLROnPlateau(patience=1, factor=0.6),
            keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True),
            keras.callbacks.CSVLogger(folder / "rows.csv"),
        ],
    )

def kill_at(place, step):
    """Has this process killed before, during or after the evaluation at a step."""
    train, evaluate, save = Program.train, Evaluator.evaluate, Saver.save
    def dying(self, *given, first_step, **settings):
        if place == "before" and first_step + 3 > step:
            os.kill(os.getpid(), signal.SIGKILL)
        return train(self, *given, first_step=first_step, **settings)
    def dying_in_evaluation(self, at):
        values = evaluate(self, at)
        if place == "during" and at == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return values
    def dying_before_it_saves(self, **settings):
        if place == "after" and int(self._step) == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return save(self, **settings)
    Program.train, Evaluator.evaluate, Saver.save = dying, dying_in_evaluation, dying_before_it_saves

if __name__ == "__main__":
    configure_logical_devices(2)
    kill_at(sys.argv[2], int(sys.argv[3]))
    make(pathlib.Path(sys.argv[1])).train()
'''


def outcome(folder):
    """The latest checkpoint, with what callbacks have counted, and all records and rows."""
    latest = Checkpoints(folder / "run" / "checkpoints").latest()
    records = [
        (r.split, r.step, {t: v for t, v in r.values.items() if "speed" not in t}) for r in jsonl.read(folder / "run")
    ]
    del latest.progress["callbacks"]["settings"]  # the names of the CSV files differ
    arrays = {**latest.arrays(), **latest.arrays_of_callbacks()}
    return latest.progress, records, (folder / "rows.csv").read_text(), arrays


@pytest.mark.slow
def test_a_run_killed_before_during_or_after_the_deciding_evaluation_ends_as_an_undisturbed_one(ready_python, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    make = runpy.run_path(str(tmp_path / "program.py"))["make"]
    (tmp_path / "whole").mkdir()
    whole = make(tmp_path / "whole")
    whole.train()
    assert 25 < whole.step < 200
    *expected, arrays = outcome(tmp_path / "whole")
    assert expected[0]["stopped_by"] == "EarlyStopping"
    places = ("before", "during", "after")
    for place in places:
        (tmp_path / place).mkdir()
    processes = {
        place: ready_python.start(
            ROOT, tmp_path / "program.py", tmp_path / place, place, whole.step, output=tmp_path / f"{place}.txt"
        )
        for place in places
    }
    for place, process in processes.items():
        assert process.wait() == -signal.SIGKILL, (tmp_path / f"{place}.txt").read_text()
        assert Checkpoints(tmp_path / place / "run" / "checkpoints").latest().step < whole.step
        resumed = make(tmp_path / place)
        resumed.train()
        *found, ours = outcome(tmp_path / place)
        assert found == expected, place
        for name, value in arrays.items():
            np.testing.assert_array_equal(ours[name], value, err_msg=f"{place}: {name}")
        assert [one.tobytes() for one in resumed.model.get_weights()] == [
            one.tobytes() for one in whole.model.get_weights()
        ]
