"""Segmenting scenes: data, measures, and the picture."""

import dataclasses

import matplotlib.image
import numpy as np
import pytest

from tasks import SceneSegmentation


@pytest.fixture
def true(scenes):
    return scenes.eval.arrays["targets"]["classes"]


def test_data_is_made_once_and_the_same_for_the_same_seed(scenes):
    assert scenes.train is scenes.train
    again = dataclasses.replace(scenes)
    for name in ("classes", "border"):
        np.testing.assert_array_equal(scenes.train.arrays["targets"][name], again.train.arrays["targets"][name])
    np.testing.assert_array_equal(scenes.eval.arrays["inputs"], again.eval.arrays["inputs"])


def test_another_seed_gives_other_scenes(scenes):
    other = dataclasses.replace(scenes, seed=1)
    assert not np.array_equal(scenes.eval.arrays["inputs"], other.eval.arrays["inputs"])


def test_there_are_as_many_scenes_as_asked_for(scenes):
    assert (scenes.train.size, scenes.eval.size) == (48, 16)


def test_the_model_takes_the_data_and_has_a_logit_for_every_class(scenes):
    model = scenes.build_model()
    assert tuple(model(scenes.eval.arrays["inputs"])["logits"].shape) == (16, 32, 32, 5)


def test_a_right_answer_is_measured_as_right(scenes, true, says_classes):
    measures = scenes.measure(says_classes(true, 5))
    assert measures["mean_iou_percent"] == measures["border_accuracy_percent"] == 100.0
    assert measures["costly_confusions_percent"] == 0.0


def test_the_first_two_digits_are_the_costly_pair(scenes, true, says_classes):
    swapped = np.array([0, 2, 1, 3, 4])[true]
    assert scenes.measure(says_classes(swapped, 5))["costly_confusions_percent"] == 100.0
    others = np.array([0, 1, 2, 4, 3])[true]
    assert scenes.measure(says_classes(others, 5))["costly_confusions_percent"] == 0.0


def test_the_picture_is_a_readable_png_of_some_size(scenes, true, says_classes, tmp_path):
    (file,) = scenes.draw(says_classes(true, 5), tmp_path / "pictures")
    assert file.read_bytes().startswith(b"\x89PNG")
    height, width, _ = matplotlib.image.imread(file).shape
    assert height > 500
    assert width > 800


def test_the_picture_shows_what_is_wrong(scenes, true, says_classes, tmp_path):
    def red_pixels(classes, name):
        (file,) = scenes.draw(says_classes(classes, 5), tmp_path / name)
        image = matplotlib.image.imread(file)[..., :3]
        return int((np.abs(image - np.array([0xD1, 0x36, 0x1F]) / 255).max(axis=-1) < 0.02).sum())

    assert red_pixels(np.zeros_like(true), "wrong") > 5 * red_pixels(true, "right")


@pytest.mark.slow
def test_several_models_are_drawn_in_adjacent_rows(scenes, true, says_classes, tmp_path):
    models = {"plain": says_classes(np.zeros_like(true), 5), "terms": says_classes(true, 5)}
    (several,) = scenes.draw_models(models, tmp_path / "several")
    (one,) = scenes.draw(models["terms"], tmp_path / "one")
    heights = [matplotlib.image.imread(file).shape[0] for file in (one, several)]
    assert heights[1] - heights[0] == pytest.approx(2 * 1.5 * 110, abs=2)


def test_fields_are_keyword_only():
    with pytest.raises(TypeError):
        SceneSegmentation(1)
