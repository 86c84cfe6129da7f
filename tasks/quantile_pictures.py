"""The picture of predicted quantiles: what came out for each patient, and how many patients are below each quantile."""

import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

_BAND, _MEDIAN, _TRUE, _CROSSED = "#56b4e9", "#0072b2", "#2b2d33", "#d55e00"


def draw_quantiles(
    file: pathlib.Path, true: np.ndarray, predicted: Mapping[str, np.ndarray], quantiles: Sequence[float]
) -> pathlib.Path:
    """Draws one row a model into a PNG file; returns it.

    Args:
      file: where the picture goes.
      true: what came out in hundreds of points, `[patients]`.
      predicted: quantiles `[patients, quantiles]` by the name of the model.
      quantiles: which ones they are, in ascending order.
    """
    figure = Figure(figsize=(11, 3.3 * len(predicted) + 0.5), layout="constrained")
    rows = figure.subplots(len(predicted), 2, squeeze=False, sharey="col", width_ratios=(2.4, 1))
    for (fan, calibration), (name, values) in zip(rows, predicted.items(), strict=True):
        _draw_fan(fan, true, values)
        fan.set_ylabel(f"{name}\nprogression in hundreds of points")
        calibration.set_ylabel("patients at or below it")
        _draw_calibration(calibration, true, values, quantiles)
    rows[-1][0].set_xlabel("patients, by their predicted median")
    rows[-1][1].set_xlabel("quantile")
    rows[0][0].set_title(f"quantiles {quantiles[0]:g} to {quantiles[-1]:g} and what came out", fontsize=11)
    rows[0][1].set_title("how many are below a quantile", fontsize=11)
    named = [panel.get_legend_handles_labels() for panel in rows[0]]
    handles, labels = ([*fan, *calibration] for fan, calibration in zip(*named, strict=True))
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    return file


def _draw_fan(panel, true: np.ndarray, predicted: np.ndarray) -> None:
    """Draws bands between quantiles; the patients of whom some quantile is below a lower one are marked."""
    middle = predicted.shape[1] // 2
    order = np.argsort(predicted[:, middle])
    true, predicted, places = true[order], predicted[order], np.arange(len(true))
    for i in range(middle):
        label = "bands between quantiles" if i == 0 else None
        low, high = predicted[:, i], predicted[:, -1 - i]
        panel.fill_between(places, low, high, color=_BAND, alpha=0.22, lw=0, label=label)
    panel.plot(places, predicted[:, middle], color=_MEDIAN, lw=1.5, label="median")
    panel.scatter(places, true, s=9, color=_TRUE, zorder=3, label="what came out")
    crossed = places[(np.diff(predicted, axis=-1) < 0.0).any(axis=-1)]
    bottom = min(predicted.min(), true.min())
    panel.scatter(crossed, np.full(len(crossed), bottom), s=22, marker="|", color=_CROSSED, label="quantiles cross")
    panel.spines[["top", "right"]].set_visible(False)


def _draw_calibration(panel, true: np.ndarray, predicted: np.ndarray, quantiles: Sequence[float]) -> None:
    panel.plot([0, 1], [0, 1], color="#8a8f98", lw=1, label="as many as should be")
    panel.plot(quantiles, (true[:, None] <= predicted).mean(axis=0), color=_MEDIAN, marker="o", ms=4)
    panel.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    panel.spines[["top", "right"]].set_visible(False)
