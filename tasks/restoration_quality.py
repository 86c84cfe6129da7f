"""How good restored pictures are, as those who look at them would say it."""

import numpy as np
from scipy.ndimage import gaussian_filter

from tasks.photographs import edge_strength
from trainer import Measure

MEASURES = {
    "psnr_db": Measure("the peak signal-to-noise ratio of a picture in dB, at most 100, averaged", better="more"),
    "ssim": Measure("the structural similarity of a picture, at most 1, averaged", better="more"),
    "edge_rmse": Measure(
        "the root of the mean squared error, where white is 1, in that tenth of the pixels where the edges of the true "
        "pictures are strongest",
        better="less",
    ),
    "sharpness_percent": Measure("the mean strength of edges, in per cent of the true one", better=100),
}
_EXACT = 1e-10  # a mean squared error that single precision hardly tells from 0: 100 dB


def restoration_quality(true: np.ndarray, restored: np.ndarray) -> dict[str, float]:
    """Judges restored pictures `[pictures, height, width, channels]`, from 0 to 1, by the true ones.

    Returns:
      The numbers that `MEASURES` names.
    """
    strength = edge_strength(true)
    strong = strength >= np.quantile(strength, 0.9)
    errors = np.square(restored - true).mean(axis=-1)
    return {
        "psnr_db": float(signal_to_noise(true, restored).mean()),
        "ssim": float(structural_similarity(true, restored).mean()),
        "edge_rmse": float(np.sqrt(errors[strong].mean())),
        "sharpness_percent": 100.0 * float(edge_strength(restored).mean() / strength.mean()),
    }


def signal_to_noise(true: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """Returns the peak signal-to-noise ratio of pictures from 0 to 1, in dB, at most 100: `[pictures]`.

    >>> signal_to_noise(np.zeros([1, 2, 2, 1]), np.full([1, 2, 2, 1], 0.1)).round(6)
    array([20.])
    """
    errors = np.square(restored - true).mean(axis=(1, 2, 3), dtype=np.float64)
    return -10.0 * np.log10(np.maximum(errors, _EXACT))


def structural_similarity(true: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """Returns the structural similarity of pictures from 0 to 1, averaged over channels: `[pictures]`.

    With the settings of Wang, Bovik, Sheikh and Simoncelli (2004): a Gaussian window of 11 x 11 pixels with a standard
    deviation of 1.5, and the constants 0.01 and 0.03. Pixels nearer to a border than 5 have no whole window and are
    left out.

    >>> picture = np.random.default_rng(0).random([1, 16, 16, 3])
    >>> structural_similarity(picture, picture)
    array([1.])
    """
    x, y = true.astype(np.float64), restored.astype(np.float64)
    mean_x, mean_y = _windowed(x), _windowed(y)
    variances = _windowed(x * x) - mean_x**2 + _windowed(y * y) - mean_y**2
    covariance = _windowed(x * y) - mean_x * mean_y
    a, b = 0.01**2, 0.03**2
    similarity = (2 * mean_x * mean_y + a) * (2 * covariance + b) / ((mean_x**2 + mean_y**2 + a) * (variances + b))
    return similarity.mean(axis=(1, 2, 3))


def _windowed(pictures: np.ndarray) -> np.ndarray:
    """Returns the mean over the window around each pixel that has a whole one."""
    return gaussian_filter(pictures, 1.5, axes=(1, 2), radius=5)[:, 5:-5, 5:-5]
