"""A step of one's own trains as a plain loop does: in every execution, over replicas and parts, and after a kill."""

import pathlib
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from sign_descent import SignDescent

from objectives import ActivationPenalty, ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, Trainer
from trainer.checkpoints.checkpoints import Checkpoints
from trainer.devices.strategy import mirrored

SCRIPTS = pathlib.Path(__file__).parents[2] / "scripts"
STEPS, RATE, BATCH, EXAMPLES = 4, 0.01, 7, 20
LIMIT = 120.0


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=[EXAMPLES, 3]).astype(np.float32)
    return x, np.stack([x.sum(axis=1), x[:, 0] * x[:, 1]], axis=1)


def make_model():
    keras.utils.set_random_seed(1)
    inputs = keras.Input([3])
    hidden = keras.layers.Dense(4, activation="tanh", name="hidden")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, name="head")(hidden))


@pytest.fixture
def make_trainer(data):
    """Makes a trainer by sign descent on an error and a small activation."""

    def make(count=1, **settings):
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
            train_step=SignDescent,
            **settings,
        )

    return make


@pytest.fixture
def plain_weights(data):
    """The weights after all steps of an eager loop, with a tape for each of the terms."""
    x, y = data
    model, source = make_model(), ArraySource(x, y)
    two = keras.Model(model.input, [model.output, model.get_layer("hidden").output])
    for batch in source.indices(first_batch=0, steps=STEPS, batch_size=BATCH, seed=0):
        with tf.GradientTape(persistent=True) as tape:
            outputs, hidden = two(x[batch])
            terms = [tf.reduce_mean((outputs - y[batch]) ** 2), 0.3 * tf.reduce_mean(hidden**2)]
        for variable in model.trainable_variables:
            slopes = [tape.gradient(term, variable) for term in terms]
            variable.assign_sub(RATE * sum(np.sign(slope) for slope in slopes if slope is not None))
    return model.get_weights()


@pytest.mark.parametrize(
    ("execution", "count", "parts"),
    [
        pytest.param("graph", 1, 1, marks=pytest.mark.slow),
        ("xla_loop", 1, 1),
        pytest.param("xla_step", 1, 1, marks=pytest.mark.slow),
        ("graph", 2, 2),
        pytest.param("xla_step", 2, 1, marks=pytest.mark.slow),
        pytest.param("xla_loop", 1, 3, marks=pytest.mark.slow),
    ],
)
def test_it_trains_as_a_plain_loop_does(make_trainer, plain_weights, execution, count, parts):
    trainer = make_trainer(count, execution=execution, accumulate_steps=parts)
    values = trainer.train()
    for ours, expected in zip(trainer.model.get_weights(), plain_weights, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)
    # The norm of the direction, of which each element is -2, -1, 0, 1 or 2.
    assert 1 <= values["optimizer/grad_norm"] <= 2 * np.sqrt(sum(w.size for w in plain_weights))


def test_its_folder_is_not_that_of_another_kind_of_step(make_trainer, tmp_path):
    make_trainer(workdir=tmp_path, execution="graph").train()
    with pytest.raises(ConfigurationError, match=r"Trainer\.train_step: SignDescent -> WeightedSum"):
        Trainer(
            model=make_model(),
            objective=Objective(data=MeanSquaredError()),
            optimizer=keras.optimizers.SGD(RATE),
            train=ArraySource(np.zeros([4, 3], np.float32), np.zeros([4, 2], np.float32)),
            workdir=tmp_path,
        )


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_weights(tmp_path):
    command = [
        *(sys.executable, str(SCRIPTS / "train.py"), f"--gin_file={SCRIPTS / 'verification' / 'chaos.gin'}"),
        *("--gin_file=own.gin", "--gin_param=Trainer.steps = 120", "--gin_param=Trainer.chunk_steps = 1"),
    ]
    shutil.copy(SCRIPTS.parent / "examples" / "sign_descent.py", tmp_path)
    (tmp_path / "own.gin").write_text("import sign_descent\nTrainer.train_step = @SignDescent\n")

    def start(folder):
        with (tmp_path / f"{folder}.txt").open("a") as said:
            return subprocess.Popen(
                [*command, f"--workdir={tmp_path / folder}"], cwd=tmp_path, stdout=said, stderr=said
            )

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
    whole, resumed = (Checkpoints(tmp_path / name / "checkpoints").latest() for name in ("whole", "killed"))
    assert whole.step == resumed.step == 120
    values = resumed.arrays()
    for name, value in whole.arrays().items():
        np.testing.assert_array_equal(values[name], value, err_msg=name)
