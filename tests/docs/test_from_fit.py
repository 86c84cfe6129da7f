"""The page "From fit to Trainer": its programs agree, and its table says what is the same."""

import os
import pathlib
import re
import subprocess
import sys

import keras
import numpy as np
import pytest

from objectives import ActivationPenalty, KerasLoss, Objective, WeightDecay
from trainer import ObjectiveModel

TEXT = (pathlib.Path(__file__).parents[2] / "docs" / "from-fit.md").read_text()

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs a program of the page, in a folder that holds the files of the page and nothing else."""
    folder = tmp_path_factory.mktemp("reader")
    for name, content in re.findall(r'^```\w+ title="([^"]*)"\n(.*?)^```', TEXT, re.DOTALL | re.MULTILINE):
        (folder / name).write_text(content)

    def run(program):
        process = subprocess.run(
            [sys.executable, program],
            cwd=folder,
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert process.returncode == 0, process.stderr
        return process.stdout

    return run


def test_both_programs_print_the_same_value(run):
    by_fit, by_trainer = run("by_fit.py"), run("by_trainer.py")
    (fit,), (trainer,) = (re.findall(r"after 160 steps, \S+ is (\S+)", printed) for printed in (by_fit, by_trainer))
    assert float(fit) == pytest.approx(float(trainer), rel=1e-5)
    assert re.search(r"loss: \S+ - mae: \S+ - data: \S+ - small: \S+ - val_loss", by_fit)


def test_the_trainer_is_the_fastest(run):
    times = dict(re.findall(r"^(\S.*?) +([\d,]+) microseconds a step", run("speed.py"), re.MULTILINE))
    assert min(times, key=lambda name: int(times[name].replace(",", ""))) == "Trainer"
    assert len(times) == 5


def test_losses_and_regularizers_are_the_terms_of_the_table():
    x, y = (np.random.default_rng(i).normal(size=[12, 4]).astype(np.float32) for i in range(2))

    def make_model(**regularizers):
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Dense(6, name="hidden", **regularizers), keras.layers.Dense(4, name="head")]
        return keras.Sequential([keras.Input([4]), *layers])

    today = make_model(kernel_regularizer=keras.regularizers.L2(1e-2), activity_regularizer=keras.regularizers.L1(1e-3))
    today.compile("sgd", loss=keras.losses.Huber())
    here = ObjectiveModel(
        make_model(),
        Objective(
            data=KerasLoss(loss=keras.losses.Huber()),
            decay=WeightDecay(variables="weights.*hidden/kernel", weight=1e-2),
            small=ActivationPenalty(activation="activations.hidden", weight=6 * 1e-3),  # six elements an example
        ),
    )
    here.compile("sgd")
    for _ in range(2):
        expected = today.fit(x, y, batch_size=12, verbose=0).history["loss"]
        assert here.fit(x, y, batch_size=12, verbose=0).history["loss"] == pytest.approx(expected, rel=1e-5)
