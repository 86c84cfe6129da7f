"""Photographs: parts, patches, edges against SciPy, and damage."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn.datasets import load_sample_images

from tasks.photographs import Damage, edge_strength, photographs, random_patches, texture, tiles


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_both_parts_together_are_the_photographs_of_scikit_learn():
    for left, right, whole in zip(photographs(0), photographs(1), load_sample_images().images, strict=True):
        np.testing.assert_allclose(np.concatenate([left, right], axis=1), whole / 255.0, rtol=1e-6)


def test_a_random_patch_is_somewhere_in_its_picture(rng):
    picture = np.arange(20.0 * 30 * 2).reshape(20, 30, 2)
    for patch in random_patches([picture], 10, 8, rng):
        top, left = np.unravel_index(int(patch[0, 0, 0]) // 2, (20, 30))
        np.testing.assert_array_equal(patch, picture[top : top + 8, left : left + 8])


def test_random_patches_come_from_all_pictures(rng):
    pictures = [np.full([9, 9, 1], value) for value in (1.0, 2.0)]
    assert {*random_patches(pictures, 50, 8, rng).ravel()} == {1.0, 2.0}


def test_tiles_put_together_are_the_picture_without_what_is_left_at_its_edges(rng):
    picture = rng.random([19, 26, 3])
    put = tiles([picture], 8).reshape(2, 3, 8, 8, 3).transpose(0, 2, 1, 3, 4).reshape(16, 24, 3)
    np.testing.assert_array_equal(put, picture[:16, :24])


def test_edge_strength_is_that_of_the_sobel_filters_of_scipy(rng):
    pictures = rng.random([3, 9, 11, 3])
    for picture, strength in zip(pictures, edge_strength(pictures), strict=True):
        slopes = [ndimage.sobel(picture.mean(axis=-1), axis=axis, mode="nearest") / 4.0 for axis in (0, 1)]
        np.testing.assert_allclose(strength, np.hypot(*slopes))


def test_texture_is_the_mean_strength_of_each_block(rng):
    pictures = rng.random([2, 8, 12, 3])
    strength = edge_strength(pictures)
    assert texture(pictures).shape == (2, 2, 3)
    np.testing.assert_allclose(texture(pictures)[1, 1, 2], strength[1, 4:8, 8:12].mean())


def test_blur_is_that_of_each_channel_of_each_picture_by_itself(rng):
    pictures = rng.random([2, 16, 16, 3])
    blurred = Damage(blur=1.5, noise=0.0, missing=0.0).applied(pictures, rng)
    np.testing.assert_allclose(blurred[1, ..., 2], ndimage.gaussian_filter(pictures[1, ..., 2], 1.5))


def test_noise_and_gaps_are_as_large_as_they_are_said_to_be(rng):
    grey = np.full([20, 32, 32, 3], 0.5)
    assert (Damage(missing=0.0).applied(grey, rng) - grey).std() == pytest.approx(0.05, rel=0.02)
    gaps = Damage(missing=0.2).applied(grey, rng) == 0.0
    assert gaps.all(axis=-1).mean() == gaps.mean() == pytest.approx(0.2, abs=0.01)
