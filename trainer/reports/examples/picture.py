"""ExamplesPicture: a row for each example of evaluation, a column for each tensor and each term."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import Any

from trainer.reports import palette
from trainer.reports.examples.columns import columns, in_pictures
from trainer.reports.examples.panels import Column
from trainer.reports.examples.shown import Shown
from trainer.reports.picture import Drawing

NAME = "examples"
# How many terms one picture shows: with the tensors, as much as a page is wide.
_TERMS = 8
# In inches: a panel and what is between two; what is above, below and beside them all.
_PANEL, _GAP, _LINE = 1.35, 0.13, 0.17
_ABOVE, _BELOW, _LEFT = 0.8, 0.36, 0.3


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExamplesPicture(Drawing):
    """Some examples of evaluation: what goes in, what should come out, what does, and where each term objects.

    Attributes:
      columns: what is shown.
      terms: the names of all terms of the run, whose colours they have in other charts too.
    """

    columns: Sequence[Column]
    terms: Sequence[str]

    @property
    def path(self) -> str:
        return self.name

    @property
    def tag(self) -> str:
        return self.name

    def figure(self) -> Any:
        from matplotlib.figure import Figure  # here, so that a run without pictures does not wait for it

        rows = len(self.data["examples"])
        legend = list(dict.fromkeys(entry for column in self.columns for entry in column.legend))
        width = _LEFT + len(self.columns) * (_PANEL + _GAP)
        height = _ABOVE + rows * (_PANEL + _GAP + _LINE) + _BELOW + (0.3 if legend else 0.0)
        figure = Figure(figsize=(max(width, 4.0), height))
        figure.text(0.05 / width, 1 - 0.1 / height, self.title, fontsize=10, va="top")
        for j, column in enumerate(self.columns):
            left = _LEFT + j * (_PANEL + _GAP)
            for i in range(rows):
                top = height - _ABOVE - i * (_PANEL + _GAP + _LINE)
                axes = figure.add_axes((left / width, (top - _PANEL) / height, _PANEL / width, _PANEL / height))
                self._panel(axes, column, i, is_first=j == 0)
            self._bar(figure, column, left / width, (height - rows * (_PANEL + _GAP + _LINE) - _ABOVE) / height)
        if legend:
            _legend(figure, legend)
        return figure

    @property
    def title(self) -> str:
        """What the picture is of, in words."""
        return f"{self.name.replace('_', ' ')} at step {self.step:,}: what each term objects to, and how much"

    def _panel(self, axes: Any, column: Column, example: int, *, is_first: bool) -> None:
        column.draw(axes, example)
        axes.set_anchor("N")  # a flat image is below its title
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(color="#c4c8cf", linewidth=0.6)
        if example == 0:
            axes.set_title(column.title, fontsize=7.5, pad=4, parse_math=False)
            if column.term is not None:
                line = palette.lines(self.terms)[column.term]
                axes.plot([0, 1], [1.02, 1.02], transform=axes.transAxes, clip_on=False, color=line.color, lw=2.5)
        if column.notes:
            axes.set_xlabel(column.notes[example], fontsize=7.5, labelpad=2)
        if is_first:
            axes.set_ylabel(f"example {example}", fontsize=8)

    def _bar(self, figure: Any, column: Column, left: float, bottom: float) -> None:
        """Draws what the colours of a column stand for, under its last panel."""
        if column.scale is None:
            return
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        name, low, high = column.scale
        width, height = figure.get_size_inches()
        axes = figure.add_axes((left + 0.1 / width, bottom - 0.02 / height, (_PANEL - 0.2) / width, 0.08 / height))
        bar = figure.colorbar(ScalarMappable(Normalize(low, high), name), cax=axes, orientation="horizontal")
        bar.set_ticks([low, high], labels=[f"{low:.3g}", f"{high:.3g}"], fontsize=7)
        for label, side in zip(bar.ax.get_xticklabels(), ("left", "right"), strict=True):
            label.set_horizontalalignment(side)
        bar.ax.tick_params(length=2, pad=1.5)
        bar.outline.set_linewidth(0.4)


def _legend(figure: Any, entries: Sequence[tuple[str, str]]) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(facecolor=color, edgecolor="#8a8f98", linewidth=0.5, label=name) for color, name in entries]
    legend = figure.legend(handles=patches, loc="lower center", ncols=min(len(patches), 8), frameon=False, fontsize=8)
    for text in legend.get_texts():
        text.set_parse_math(False)  # names are no formulas


def pictures(shown: Shown, *, step: int, terms: Sequence[str]) -> list[ExamplesPicture]:
    """Returns the pictures of some examples after `step` updates: `examples`, and more of them for many terms."""
    made = functools.partial(ExamplesPicture, step=step, terms=tuple(terms))
    return [
        made(name=name, columns=tuple(some), data=_data(shown, some))
        for name, some in zip(_names(), in_pictures(columns(shown), _TERMS), strict=False)
    ]


def _names() -> Iterator[str]:
    yield NAME
    number = 2
    while True:
        yield f"{NAME}_{number}"
        number += 1


def _data(shown: Shown, some: Sequence[Column]) -> dict[str, Any]:
    """Returns the mean of each term on each example, and its weight, by the name of the term."""
    own = {column.term for column in some}
    return {
        "examples": list(range(shown.count)),
        "terms": {
            name: {"weight": shown.weights.get(name.partition("/")[0]), "values": values.tolist()}
            for name, values in shown.means.items()
            if name.partition("/")[0] in own
        },
    }
