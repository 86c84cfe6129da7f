"""Controls on a grid: data, measures against NumPy, and the picture."""

import dataclasses

import matplotlib.image
import numpy as np
import pytest

from tasks import GridControl
from tasks.grid_control import control_quality
from tasks.planar_arm import PlanarArm
from trainer import ArraySource
from trainer.task import with_examples

ARM = PlanarArm(limit=3)


@pytest.fixture(scope="module")
def control():
    return GridControl(train_paths=24, eval_paths=12, points=8, arm=ARM, width=16)


@pytest.fixture
def whole():
    """Controls in whole steps within the limits."""
    return np.random.default_rng(0).integers(-3, 4, [12, 8, 4]).astype(np.float32)


def test_data_is_the_same_for_the_same_seed_and_differs_for_another(control):
    seen, again, other = (
        task.train.arrays["inputs"]
        for task in (control, dataclasses.replace(control), dataclasses.replace(control, seed=1))
    )
    np.testing.assert_array_equal(seen, again)
    assert not np.array_equal(seen, other)
    assert not {path.tobytes() for path in seen} & {path.tobytes() for path in control.eval.arrays["inputs"]}


def test_the_model_tells_where_its_controls_take_the_hand(control):
    outputs = control.build_model()(control.eval.arrays["inputs"])
    assert outputs["controls"].shape == (12, 8, 4)
    np.testing.assert_allclose(outputs["path"], ARM.hand(outputs["controls"]), atol=1e-6)


def test_controls_in_whole_steps_are_done_as_planned(control, whole, says):
    reached = np.asarray(ARM.hand(whole))
    task = with_examples(control, eval=ArraySource(reached, reached))
    found = task.measure(says({"controls": whole, "path": reached}))
    assert found == {
        "planned_error_mm": pytest.approx(0.0, abs=1e-3),
        "rounded_error_mm": pytest.approx(0.0, abs=1e-3),
        "on_grid_percent": 100.0,
        "outside_percent": 0.0,
        "turn_per_point": pytest.approx(np.abs(whole[:, 1:] - whole[:, :-1]).mean()),
    }


def test_controls_between_steps_lose_by_rounding_and_those_beyond_a_limit_by_that(whole):
    requested = np.asarray(ARM.hand(whole))
    between = control_quality(ARM, requested, whole + 0.4)
    assert between["rounded_error_mm"] == pytest.approx(0.0, abs=1e-3)
    assert between["planned_error_mm"] > 50.0
    assert between["on_grid_percent"] == 0.0
    assert between["outside_percent"] == pytest.approx(100.0 * (whole == 3).mean())
    beyond = control_quality(ARM, np.asarray(ARM.hand(whole + 10.0)), whole + 10.0)
    assert beyond["planned_error_mm"] == pytest.approx(0.0, abs=1e-3)
    assert beyond["rounded_error_mm"] > 50.0
    assert beyond["outside_percent"] == 100.0


def test_the_picture_has_a_row_for_each_model(control, whole, says, tmp_path):
    models = {"plain": says({"controls": whole + 0.3}), "with terms": says({"controls": whole})}
    (file,) = control.draw_models(models, tmp_path / "pictures")
    height, width, _ = matplotlib.image.imread(file).shape
    assert height > 700
    assert width > 1200
