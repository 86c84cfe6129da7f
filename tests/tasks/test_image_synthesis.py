"""Restoring photographs: data, measures, and the picture."""

import dataclasses

import matplotlib.image
import numpy as np
import pytest

from tasks import ImageSynthesis
from tasks.photographs import edge_strength, texture
from tasks.restoration_quality import restoration_quality


@pytest.fixture(scope="session")
def photographs():
    return ImageSynthesis(train_patches=16)


@pytest.fixture
def true(photographs):
    return photographs.eval.arrays["targets"]["image"]


def test_data_is_the_same_for_the_same_seed_and_differs_for_another(photographs):
    again, other = dataclasses.replace(photographs), dataclasses.replace(photographs, seed=1)
    for part in ("train", "eval"):
        inputs = [getattr(task, part).arrays["inputs"] for task in (photographs, again, other)]
        np.testing.assert_array_equal(inputs[0], inputs[1])
        assert not np.array_equal(inputs[0], inputs[2])


def test_all_of_the_right_part_that_fills_patches_is_evaluated(photographs):
    assert (photographs.train.size, photographs.eval.size) == (16, 2 * 13 * 6)


def test_targets_say_where_edges_are(photographs, true):
    targets = photographs.eval.arrays["targets"]
    assert targets["strength"].shape == true.shape
    np.testing.assert_allclose(targets["strength"][..., 1], edge_strength(true), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(targets["texture"], texture(true), rtol=1e-5, atol=1e-6)


def test_what_is_beyond_black_and_white_is_measured_as_black_and_white(photographs, true, says):
    beyond = np.where(true > 0.5, 7.0, -7.0)
    assert photographs.measure(says({"image": beyond})) == restoration_quality(true, (true > 0.5).astype(np.float64))


def test_the_picture_is_a_readable_png_of_some_size(photographs, true, says, tmp_path):
    (file,) = photographs.draw(says({"image": true}), tmp_path / "pictures")
    height, width, _ = matplotlib.image.imread(file).shape
    assert height > 600
    assert width > 800


@pytest.mark.slow
def test_the_picture_has_two_rows_for_each_model(photographs, true, says, tmp_path):
    model = says({"image": true})
    (one,) = photographs.draw(model, tmp_path / "one")
    (two,) = photographs.draw_models({"first": model, "second": model}, tmp_path / "two")
    heights = [matplotlib.image.imread(file).shape[0] for file in (one, two)]
    assert heights[1] - heights[0] == pytest.approx(2 * 1.6 * 110, abs=2)
