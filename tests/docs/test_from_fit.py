"""The page "From fit to Trainer": its programs agree, and its table says what is the same."""

import re

import keras
import numpy as np
import pytest

from objectives import ActivationPenalty, KerasLoss, Objective, WeightDecay
from trainer import ObjectiveModel

PAGE = "from-fit.md"

pytestmark = pytest.mark.slow


def test_both_programs_print_the_same_value(page):
    by_fit, by_trainer = page.run("by_fit.py"), page.run("by_trainer.py")
    (fit,), (trainer,) = (re.findall(r"after 160 steps, \S+ is (\S+)", printed) for printed in (by_fit, by_trainer))
    assert float(fit) == pytest.approx(float(trainer), rel=1e-5)
    assert re.search(r"loss: \S+ - mae: \S+ - data: \S+ - small: \S+ - val_loss", by_fit)


def test_the_trainer_is_the_fastest(page):
    times = dict(re.findall(r"^(\S.*?) +([\d,]+) microseconds a step", page.run("speed.py"), re.MULTILINE))
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
