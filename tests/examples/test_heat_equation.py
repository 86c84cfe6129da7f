"""The example of a differential equation learns the exact temperature, by an objective of a few lines."""

import pathlib
import re

import heat_equation
import keras
import numpy as np
import pytest

from trainer import Trainer, model_of_parts


def test_the_objective_and_the_points_are_those_of_the_equation():
    source = heat_equation.points(np.random.default_rng(0))
    rod, ends, start = (source.parts[part].arrays for part in ("rod", "ends", "start"))
    assert source.counts(2200) == {"ends": 100, "rod": 2000, "start": 100}
    assert {*np.unique(ends["inputs"]["x"])} == {0.0, 1.0}
    assert np.abs(ends["targets"]).max() < 1e-6
    assert not start["inputs"]["t"].any()
    np.testing.assert_allclose(start["targets"], np.sin(np.pi * start["inputs"]["x"]), atol=1e-6)
    assert 0.0 <= rod["inputs"]["t"].min() < 0.01 < 0.99 < rod["inputs"]["t"].max() <= 1.0


def test_the_exact_temperature_solves_the_equation():
    x, t, h = 0.3, 0.2, 1e-4
    u_t = (heat_equation.exact(x, t + h) - heat_equation.exact(x, t - h)) / (2 * h)
    u_xx = (heat_equation.exact(x + h, t) - 2 * heat_equation.exact(x, t) + heat_equation.exact(x - h, t)) / h**2
    np.testing.assert_allclose(u_t, heat_equation.DIFFUSIVITY * u_xx, rtol=1e-5)


def test_a_few_steps_lower_each_term():
    keras.utils.set_random_seed(0)
    model = model_of_parts(heat_equation.network(), parts=("ends", "rod", "start"))
    trainer = Trainer(
        model=model,
        objective=heat_equation.OBJECTIVE,
        optimizer=keras.optimizers.Adam(3e-3),
        train=heat_equation.points(np.random.default_rng(0)),
        batch_size=220,
        steps=60,
        execution="graph",
        default_reports=False,
    )
    before, after = trainer.train(until=2), trainer.train()
    assert after["loss/total"] < before["loss/total"] / 2
    assert after["terms/heat/count"] == 200 * 20


@pytest.mark.slow
def test_it_ends_near_the_exact_temperature_with_a_picture(run_there, copied):
    said = run_there("heat_equation.py")
    (error,) = re.findall(r"^relative error: (\S+)", said, re.MULTILINE)
    assert float(error) < 1e-2, said
    assert (copied / "runs/heat_equation/heat.png").read_bytes().startswith(b"\x89PNG")


def test_the_terms_and_their_points_take_a_dozen_lines():
    text = pathlib.Path(heat_equation.__file__).read_text()
    (objective,) = re.findall(r"^OBJECTIVE = .*?^\)$", text, re.MULTILINE | re.DOTALL)
    (source,) = re.findall(r"^    return MixedSource\(.*?^    \)$", text, re.MULTILINE | re.DOTALL)
    assert len(objective.splitlines()) + len(source.splitlines()) <= 12
