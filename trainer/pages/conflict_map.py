"""Conflict map: the cosine of the gradients of each pair of terms over the steps."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import BasicTicker, FactorRange, LinearColorMapper
from bokeh.models.annotations.legends import ColorBar
from bokeh.palettes import Blues256, Oranges256, diverging_palette
from bokeh.plotting import figure

from trainer.pages.facts import Facts
from trainer.reports.conflicts import pair_cosines
from trainer.reports.terminal.figures import shortened

# In pixels: a row of two lines, a letter of the names beside it, and all else of a figure that can still be read.
_ROW, _LETTER, _LEAST_WIDTH = 34, 6, 260
# Of longer names a narrow window has no room; the mouse over a cell tells them in full.
_LONGEST = 26
# More rows than that are no picture any more: twenty terms have 190 pairs.
_MOST = 30
# Orange where two terms pull apart, white where neither minds the other, blue where they agree.
_COLORS = diverging_palette(Oranges256, Blues256, n=255)


def conflict_map(facts: Facts) -> Any | None:
    """Returns a figure with a row for each pair and a column for each measurement; None if there are none.

    The pairs that fight most, by the mean of their cosines, are at the top.
    """
    history = facts.histories["train"]
    pairs = [*itertools.combinations(facts.terms, 2)]
    cosines = {f"{one} and {other}": pair_cosines(history, one, other) for one, other in pairs}
    short = _short(facts.terms)
    labels = {f"{one} and {other}": f"{short[one]}\nand {short[other]}" for one, other in pairs}
    cosines = {pair: values for pair, values in cosines.items() if not np.isnan(values).all()}
    if not cosines:
        return None
    title = "cosine of the gradients of each pair"
    if len(cosines) > _MOST:
        title = f"{title}\n(the {_MOST} of {len(cosines)} pairs that fight most)"
    cosines = dict(sorted(cosines.items(), key=lambda item: float(np.nanmean(item[1])))[:_MOST])
    measured = np.flatnonzero(~np.isnan([*cosines.values()]).all(axis=0))
    ends = history.steps[measured]
    starts = np.concatenate([[0], ends[:-1]])
    cells = {
        "left": np.tile(starts, len(cosines)),
        "right": np.tile(ends, len(cosines)),
        "step": np.tile(ends, len(cosines)),
        "pair": np.repeat([*cosines], len(measured)),
        "label": np.repeat([labels[pair] for pair in cosines], len(measured)),
        "cosine": np.concatenate([values[measured] for values in cosines.values()]),
    }
    plot = figure(
        title=title,
        x_axis_label="step",
        y_range=FactorRange(factors=[labels[pair] for pair in cosines][::-1]),
        height=150 + _ROW * len(cosines),
        min_width=_LEAST_WIDTH + _LETTER * max(map(len, "\n".join(labels.values()).split("\n"))),
        sizing_mode="stretch_width",
        tools="hover,save",
        tooltips=[("pair", "@pair"), ("step", "@step{0,0}"), ("cosine", "@cosine{0.00}")],
        toolbar_location="above",
    )
    colors = LinearColorMapper(palette=_COLORS, low=-1, high=1, nan_color="#dddddd")
    plot.hbar(
        y="label",
        left="left",
        right="right",
        height=0.9,
        source=cells,
        fill_color={"field": "cosine", "transform": colors},
        line_color=None,
    )
    scale = ColorBar(color_mapper=colors, ticker=BasicTicker(desired_num_ticks=5), height=10, padding=4)
    plot.add_layout(scale, "above")
    plot.grid.visible = False
    return plot


def _short(names: Sequence[str]) -> Mapping[str, str]:
    """Returns names cut to what there is room for, unless two of them would be the same then."""
    short = shortened(tuple(names), _LONGEST)
    return dict(zip(names, short if len({*short}) == len(names) else names, strict=True))
