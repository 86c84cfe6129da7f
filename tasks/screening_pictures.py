"""The picture of a screening: precision over recall, and how often it happens what was given a probability."""

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from tasks.screening_quality import PRECISION, precision_and_recall, recall_at_precision

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_GREY = "#8a8f98"
_BINS = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0])


def draw_screening(file: pathlib.Path, judged: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> pathlib.Path:
    """Draws a line a model into a PNG file, for its targets, probabilities and weights `[examples]`; returns it."""
    figure = Figure(figsize=(10, 4.9), layout="constrained")
    curve, reliability = figure.subplots(1, 2)
    for i, (name, (true, probabilities, weights)) in enumerate(judged.items()):
        style = {"color": _COLOURS[i % len(_COLOURS)], "ls": "-" if i < len(_COLOURS) else "--", "label": name}
        precision, recall = precision_and_recall(true, probabilities, weights)
        curve.step(recall, precision, where="post", **style)
        found = recall_at_precision(precision, recall)
        curve.plot(found, PRECISION, "o", ms=7, color=style["color"], clip_on=False, zorder=3)
        curve.annotate(
            f"{name}: finds {100 * found:.1f} %",
            *((found, PRECISION), (0.05, PRECISION - 0.06 - 0.07 * i)),
            color=style["color"],
            arrowprops={"arrowstyle": "-", "color": style["color"], "lw": 0.6, "shrinkB": 4},
            va="center",
        )
        reliability.plot(*observed_in_bins(true, probabilities, weights), marker="o", ms=5, **style)
    half = f"{100 * PRECISION:g} % of those called back are positive, where recall is measured"
    curve.axhline(PRECISION, color=_GREY, lw=1, ls=":", label=half)
    curve.set(xlabel="positives that are found (recall)", ylabel="positives among those called back (precision)")
    curve.set_title("precision over recall, at every threshold", fontsize=11)
    reliability.plot([0, 1], [0, 1], color=_GREY, lw=1, label="as often as predicted")
    reliability.set(xlabel="predicted probability", ylabel="positives among those with this probability")
    reliability.set_title("what a probability is worth", fontsize=11)
    for panel in (curve, reliability):
        panel.set(xlim=(0, 1), ylim=(0, 1.03))
        panel.spines[["top", "right"]].set_visible(False)
    named = {label: handle for panel in (curve, reliability) for handle, label in _labelled(panel)}
    figure.legend([*named.values()], [*named], loc="outside lower center", ncols=2, frameon=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    return file


def observed_in_bins(true: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean probability and the share of positives of the examples in each bin that has some.

    >>> observed_in_bins(np.array([0, 1, 1]), np.array([0.25, 0.35, 1.0]), np.array([1.0, 3.0, 1.0]))
    (array([0.325, 1.   ]), array([0.75, 1.  ]))
    """
    bins = np.digitize(probabilities, _BINS[1:-1])
    counted, predicted, observed = (
        np.bincount(bins, what, minlength=len(_BINS) - 1) for what in (weights, weights * probabilities, weights * true)
    )
    some = counted > 0
    return predicted[some] / counted[some], observed[some] / counted[some]


def _labelled(panel) -> Iterator[tuple[Any, str]]:
    """Yields the lines of a panel with what a legend says of them."""
    return zip(*panel.get_legend_handles_labels(), strict=True)
