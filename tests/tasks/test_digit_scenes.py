"""Scenes of real digits: labels, borders, noise."""

import numpy as np
import pytest

from tasks.digit_scenes import borders, compose
from tasks.handwriting import Handwriting

DIGITS = (3, 8, 0, 5)


@pytest.fixture(scope="module")
def split():
    return Handwriting.split(seed=3)


@pytest.fixture
def draw(split):
    def scenes(*, seed=0, noise=0.1, count=64, digits=DIGITS):
        return compose(split[0], digits, scenes=count, size=32, noise=noise, rng=np.random.default_rng(seed))

    return scenes


def test_scenes_are_the_same_for_the_same_seed_and_differ_for_another(draw):
    first, again, other = draw(seed=1), draw(seed=1), draw(seed=2)
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.classes, again.classes)
    assert not np.array_equal(first.classes, other.classes)


def test_shapes_and_types_are_those_a_model_is_trained_on(draw):
    scenes = draw()
    assert (scenes.images.shape, scenes.images.dtype) == ((64, 32, 32, 1), np.float32)
    assert (scenes.classes.shape, scenes.classes.dtype) == ((64, 32, 32), np.int32)
    assert (scenes.border.shape, scenes.border.dtype) == ((64, 32, 32), np.float32)


def test_every_class_occurs_and_no_other(draw):
    assert np.unique(draw().classes).tolist() == [0, 1, 2, 3, 4]


def test_a_class_is_numbered_by_its_digits_place(draw):
    np.testing.assert_array_equal(draw(digits=(8,)).classes > 0, draw(digits=(8,)).classes == 1)


def test_every_scene_shows_a_digit_and_mostly_background(draw):
    shown = (draw().classes > 0).mean(axis=(1, 2))
    assert shown.min() > 0
    assert shown.max() < 0.5


def test_pixels_of_a_digit_are_brighter_than_the_rest(draw):
    scenes = draw(noise=0.0)
    ink = scenes.images[..., 0]
    assert ink[scenes.classes > 0].mean() > 2 * ink[scenes.classes == 0].mean()
    assert 0.0 <= ink.min() <= ink.max() <= 1.0


def test_noise_has_the_deviation_that_was_asked_for(draw):
    difference = draw(noise=0.2).images - draw(noise=0.0).images
    assert difference.std() == pytest.approx(0.2, rel=0.02)


def test_a_border_is_where_one_of_eight_neighbours_differs(draw):
    classes = draw(count=4).classes
    expected = np.zeros(classes.shape, np.float32)
    for scene, y, x in np.ndindex(classes.shape):
        around = classes[scene, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        expected[scene, y, x] = (around != classes[scene, y, x]).any()
    np.testing.assert_array_equal(borders(classes), expected)
