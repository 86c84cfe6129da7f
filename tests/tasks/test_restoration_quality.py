"""Measures of restored pictures against scikit-image."""

import numpy as np
import pytest
from skimage import metrics

from tasks.photographs import edge_strength
from tasks.restoration_quality import restoration_quality, signal_to_noise, structural_similarity


@pytest.fixture
def true():
    rng = np.random.default_rng(0)
    return rng.random([3, 24, 20, 3]).astype(np.float32)


@pytest.fixture
def restored(true):
    noise = np.random.default_rng(1).standard_normal(true.shape).astype(np.float32)
    return true + np.array([0.05, 0.1, 0.3], np.float32)[:, None, None, None] * noise


def test_the_ratio_of_signal_and_noise_is_that_of_scikit_image(true, restored):
    expected = [metrics.peak_signal_noise_ratio(a, b, data_range=1.0) for a, b in zip(true, restored, strict=True)]
    np.testing.assert_allclose(signal_to_noise(true, restored), expected, rtol=1e-5)


def test_structural_similarity_is_that_of_scikit_image_with_the_settings_of_its_authors(true, restored):
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = [
        metrics.structural_similarity(a, b, data_range=1.0, channel_axis=-1, **settings)
        for a, b in zip(true.astype(np.float64), restored.astype(np.float64), strict=True)
    ]
    np.testing.assert_allclose(structural_similarity(true, restored), expected, rtol=1e-6)


def test_a_right_answer_is_measured_as_right(true):
    assert restoration_quality(true, true) == {
        "psnr_db": 100.0,
        "ssim": pytest.approx(1.0),
        "edge_rmse": 0.0,
        "sharpness_percent": 100.0,
    }


def test_an_error_counts_as_one_of_edges_where_edges_are_strongest(true):
    strength = edge_strength(true)
    strongest, weakest = strength == strength.max(), strength == strength.min()
    assert restoration_quality(true, true + 0.1 * weakest[..., None])["edge_rmse"] == 0.0
    off = np.sqrt(0.01 / np.ceil(strength.size / 10))
    assert restoration_quality(true, true + 0.1 * strongest[..., None])["edge_rmse"] == pytest.approx(off, rel=1e-3)


def test_half_of_the_contrast_is_half_of_the_sharpness(true):
    assert restoration_quality(true, true / 2.0)["sharpness_percent"] == pytest.approx(50.0, rel=1e-4)
