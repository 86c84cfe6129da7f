"""Legends: the names of lines beside a figure, where there is space for them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from bokeh.models import CustomJS
from bokeh.models.annotations.legends import Legend, LegendItem

# Of a longer name the figure itself would have no room.
_LONGEST = 48
# As long as two dashes are, in pixels; and how wide a figure has to be for a legend beside it, but for its letters.
_LINE, _NEEDS = 34, 420
# The height of a name, and of all else, so that a long legend is not cut.
_ROW, _AROUND = 24, 90


def add_legend(plot: Any, drawn: Mapping[str, Sequence[Any]], *, click: Literal["mute", "hide"]) -> None:
    """Adds a legend beside a figure, which is as high as it needs; it goes where there is no room, as tables name all.

    Args:
      plot: the figure.
      drawn: what is drawn, by name.
      click: what a click on a name does with it.
    """
    items = [LegendItem(label=short_label(name), renderers=[*renderers]) for name, renderers in drawn.items()]
    legend = Legend(items=items, click_policy=click, ncols=1, glyph_width=_LINE)
    plot.add_layout(legend, "right")
    plot.height = max(plot.height, _AROUND + _ROW * len(items))
    args = {"legend": legend, "needed": _NEEDS + 10 * max((len(short_label(name)) for name in drawn), default=0)}
    plot.js_on_change("outer_width", CustomJS(args=args, code="legend.visible = cb_obj.outer_width > needed"))


def short_label(name: str) -> str:
    """Returns a name as a legend has it: of a long one both ends, by which such names differ.

    >>> short_label("overlap"), short_label("a_term_with_a_name_that_goes_on_and_on_and_never_ends")
    ('overlap', 'a_term_with_a_name_that…on_and_on_and_never_ends')
    """
    half = (_LONGEST - 1) // 2
    return name if len(name) <= _LONGEST else f"{name[:half]}…{name[-half - 1 :]}"
