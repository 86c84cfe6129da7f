"""The temperature of a rod: data, measures, and the picture."""

import dataclasses

import keras
import matplotlib.image
import numpy as np
import pytest

from tasks import HeatEquation
from tasks.heat_equation import PARTS
from tasks.rod import Rod
from trainer import ArraySource, MixedSource, model_of_parts
from trainer.task import with_examples


@pytest.fixture(scope="module")
def one_wave():
    return HeatEquation(rod=Rod(diffusivity=0.1, waves=(1.0,)), readings=16, points=40)


@pytest.fixture(scope="module")
def knows():
    """A model that says a multiple of the exact temperature of `one_wave`."""
    at = {name: keras.Input([1], name=name) for name in ("x", "t")}
    wave = keras.ops.exp(-0.1 * np.pi**2 * at["t"]) * keras.ops.sin(np.pi * at["x"])
    return lambda factor: model_of_parts(keras.Model(at, factor * wave), parts=PARTS)


def test_readings_err_by_the_noise_and_the_ends_do_not():
    many = HeatEquation(readings=4000, noise=0.2).train.parts
    for part, noise in {"sensors": 0.2, "start": 0.2, "ends": 0.0}.items():
        arrays = many[part].arrays
        errors = arrays["targets"] - Rod().temperature(**arrays["inputs"])
        assert errors.mean() == pytest.approx(0.0, abs=0.02)
        assert errors.std() == pytest.approx(noise, rel=0.1, abs=1e-6)


def test_each_part_is_where_its_name_says(one_wave):
    parts = {name: source.arrays["inputs"] for name, source in one_wave.train.parts.items()}
    assert {*np.unique(parts["ends"]["x"])} == {0.0, 1.0}
    assert not parts["start"]["t"].any()
    for name in ("rod", "sensors"):
        assert 0.0 <= min(map(np.min, parts[name].values())) < 0.2 < 0.8 < max(map(np.max, parts[name].values())) <= 1.0
    assert "targets" not in one_wave.train.parts["rod"].arrays


def test_data_is_the_same_for_the_same_seed_and_differs_for_another(one_wave):
    seen, again, other = (
        task.train.arrays["targets"]["sensors"]
        for task in (one_wave, dataclasses.replace(one_wave), dataclasses.replace(one_wave, seed=1))
    )
    np.testing.assert_array_equal(seen, again)
    assert not np.array_equal(seen, other)


def test_the_model_gives_a_temperature_for_each_point_of_each_part(one_wave):
    outputs = one_wave.build_model()(one_wave.train.arrays["inputs"])
    assert {name: tuple(of.shape) for name, of in outputs.items()} == {
        "ends": (16, 1),
        "rod": (40, 1),
        "sensors": (16, 1),
        "start": (16, 1),
    }


def test_the_exact_temperature_has_no_error_and_a_tenth_more_has_ten_per_cent(one_wave, knows):
    assert one_wave.measure(knows(1.0)) == pytest.approx({"relative_error_percent": 0.0, "worst_error": 0.0}, abs=1e-4)
    assert one_wave.measure(knows(1.1)) == pytest.approx({"relative_error_percent": 10.0, "worst_error": 0.1}, rel=1e-4)


def test_measures_are_of_the_evaluation_data_that_the_run_has(one_wave, knows):
    parts = one_wave.eval.parts
    sensors = parts["sensors"].arrays
    doubled = ArraySource(sensors["inputs"], 2 * sensors["targets"])
    other = with_examples(one_wave, eval=MixedSource(**{**parts, "sensors": doubled}))
    assert other.measure(knows(1.0))["relative_error_percent"] == pytest.approx(50.0, rel=1e-4)


def test_the_picture_has_a_column_for_each_model(one_wave, knows, tmp_path):
    (file,) = one_wave.draw_models({"exact": knows(1.0), "warmer": knows(1.1)}, tmp_path / "pictures")
    height, width, _ = matplotlib.image.imread(file).shape
    assert height > 600
    assert width > 1000
