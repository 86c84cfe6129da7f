"""A reader copies an example beside their own code, imports it by its name or runs it; so do these tests."""

import pathlib
import shutil
import signal
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ActivationPenalty, MeanSquaredError, Objective
from trainer import ArraySource, Trainer
from trainer.checkpoints.checkpoints import Checkpoints
from trainer.devices.strategy import mirrored

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES, SCRIPTS = ROOT / "examples", ROOT / "scripts"
STEPS, RATE, BATCH, COUNT = 4, 0.01, 7, 20
LIMIT = 120.0

sys.path.insert(0, str(EXAMPLES))


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A folder elsewhere that holds a copy of the examples."""
    return shutil.copytree(EXAMPLES, tmp_path_factory.mktemp("elsewhere") / "examples")


@pytest.fixture(scope="module")
def run_there(copied, run_python):
    """Runs Python with some arguments in the copy, or in a folder of it, and returns what it printed."""
    return lambda *arguments, folder=".": run_python(copied / folder, *arguments, timeout=120)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=[COUNT, 3]).astype(np.float32)
    return x, np.stack([x.sum(axis=1), x[:, 0] * x[:, 1]], axis=1)


def make_model():
    keras.utils.set_random_seed(1)
    inputs = keras.Input([3])
    hidden = keras.layers.Dense(4, activation="tanh", name="hidden")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, name="head")(hidden))


@pytest.fixture
def make_trainer(data):
    """Makes a trainer of one kind of step, on an error and a small activation."""

    def make(train_step, count=1, **settings):
        return Trainer(
            model=make_model(),
            objective=Objective(
                data=MeanSquaredError(), small=ActivationPenalty(activation="activations.hidden", norm="l2", weight=0.3)
            ),
            optimizer=keras.optimizers.SGD(RATE),
            train=ArraySource(*data),
            batch_size=BATCH,
            steps=STEPS,
            strategy=mirrored([f"CPU:{i}" for i in range(count)]),
            default_reports=False,
            train_step=train_step,
            **settings,
        )

    return make


@pytest.fixture
def descended(data):
    """Trains by an eager loop with a tape for each term: the weights after all steps, given what makes a direction.

    That is a function of the gradients by term and variable, each an array.
    """

    def descend(direction):
        x, y = data
        model, source = make_model(), ArraySource(x, y)
        two = keras.Model(model.input, [model.output, model.get_layer("hidden").output])
        for batch in source.indices(first_batch=0, steps=STEPS, batch_size=BATCH, seed=0):
            with tf.GradientTape(persistent=True) as tape:
                outputs, hidden = two(x[batch])
                terms = [tf.reduce_mean((outputs - y[batch]) ** 2), 0.3 * tf.reduce_mean(hidden**2)]
            variables = model.trainable_variables
            slopes = [[np.asarray(slope) for slope in _slopes(tape, term, variables)] for term in terms]
            for variable, whole in zip(variables, direction(slopes), strict=True):
                variable.assign_sub(RATE * whole)
        return model.get_weights()

    return descend


def _slopes(tape, term, variables):
    values = [variable.value for variable in variables]
    return tape.gradient(term, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)


@pytest.fixture
def train_whole_and_killed(ready_python, tmp_path):
    """Trains with an example, into `whole` at once and into `killed` with a kill in between; says where."""

    def run(module, gin, arguments=lambda name: ()):
        shutil.copy(EXAMPLES / f"{module}.py", tmp_path)
        (tmp_path / "own.gin").write_text(f"import {module}\n{gin}\n")

        def start(name):
            command = [
                *(SCRIPTS / "train.py", f"--gin_file={SCRIPTS / 'verification' / 'chaos.gin'}"),
                *("--gin_file=own.gin", "--gin_param=Trainer.steps = 120", "--gin_param=Trainer.chunk_steps = 1"),
                "--gin_param=Trainer.execution = 'graph'",
                *(f"--workdir={tmp_path / name}", *arguments(name)),
            ]
            return ready_python.start(tmp_path, *command, output=tmp_path / f"{name}.txt")

        assert start("whole").wait(LIMIT) == 0, (tmp_path / "whole.txt").read_text()
        killed, began = start("killed"), time.monotonic()
        while not any((tmp_path / "killed" / "checkpoints").glob("[0-9]*")):
            assert killed.poll() is None, (tmp_path / "killed.txt").read_text()
            assert time.monotonic() - began < LIMIT
            time.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
        assert killed.wait() == -signal.SIGKILL
        assert start("killed").wait(LIMIT) == 0, (tmp_path / "killed.txt").read_text()
        assert "resuming at step" in (tmp_path / "killed.txt").read_text()
        return tmp_path

    return run


@pytest.fixture
def killed_and_whole(train_whole_and_killed):
    """Trains by an example's kind of step, at once and killed in between: the last checkpoint of each."""

    def run(module, kind):
        folder = train_whole_and_killed(module, f"Trainer.train_step = @{kind}")
        whole, resumed = (Checkpoints(folder / name / "checkpoints").latest() for name in ("whole", "killed"))
        assert whole.step == resumed.step == 120
        return whole.arrays(), resumed.arrays()

    return run
