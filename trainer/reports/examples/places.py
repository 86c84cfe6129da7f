"""Places: the points and the images of examples, which the panels of several columns have in common."""

import numpy as np

from trainer.reports.examples.kinds import is_image, is_points
from trainer.reports.examples.scales import as_colours, finite_range
from trainer.reports.examples.shown import Shown

# Channels of an image that are shown side by side at most.
_CHANNELS = 3


def placed_points(shown: Shown) -> np.ndarray | None:
    """Returns the points that the model places; None if it places none."""
    return next((v for k, v in shown.tensors.items() if k.startswith("outputs") and is_points(v.shape[1:])), None)


def bounds_of(shown: Shown) -> tuple[np.ndarray, np.ndarray]:
    """Returns the lowest and the highest coordinates `[2]` that show all points, with a margin."""
    points = np.concatenate([v.reshape(-1, 2) for v in shown.tensors.values() if is_points(v.shape[1:])])
    (left, right), (bottom, top) = (finite_range(points[:, axis]) for axis in (0, 1))
    low, high = np.array([left, bottom]), np.array([right, top])
    # A square, so that panels of maps have one size.
    middle, half = (low + high) / 2, 0.56 * (high - low).max()
    return middle - half, middle + half


def underlay(shown: Shown, shape: tuple[int, ...]) -> np.ndarray | None:
    """Returns the brightness of the first input of this height and width, from 0 to 1; None if there is none."""
    for key, values in shown.tensors.items():
        if key.startswith("inputs") and is_image(values.shape[1:]) and values.shape[1:3] == shape:
            image = as_image(values)
            low, high = finite_range(image)
            return as_colours(image).mean(-1) if image.ndim == 4 else np.nan_to_num((image - low) / (high - low))
    return None


def as_image(values: np.ndarray) -> np.ndarray:
    """Returns `[examples, height, width]`, or colours with 3 channels; of other channels, the first side by side."""
    if values.ndim == 3:
        return values.astype(np.float64)
    channels = values.shape[-1]
    if channels in (3, 4):
        return values[..., :3].astype(np.float64)
    gap = np.full([*values.shape[:2], 1], np.nan)
    parts = [part for i in range(min(channels, _CHANNELS)) for part in (gap, values[..., i].astype(np.float64))]
    return np.concatenate(parts[1:], axis=2)
