"""Palette: the colour and the dashes of each term, and the colour of each class, the same in every picture and page."""

from collections.abc import Sequence
from typing import NamedTuple

# Okabe and Ito's colours but yellow, which is hardly seen on white, ordered so that neighbours differ most for readers
# who are red- or green-blind.
_COLORS = ("#0072B2", "#D55E00", "#56B4E9", "#E69F00", "#CC79A7", "#009E73")
# Tol's light qualitative scheme, which readers who are colour-blind tell apart too, behind a light grey for the first
# class, which is a background more often than not; then the darkest of his muted one.
_CLASSES = (
    *("#eceef2", "#77AADD", "#EE8866", "#EEDD88", "#BBCC33", "#FFAABB", "#44BB99", "#99DDFF", "#AAAA00"),
    *("#332288", "#882255", "#117733", "#AA4499"),
)
# Names that Matplotlib and Bokeh share.
_DASHES = ("solid", "dashed", "dotted", "dashdot")
_SVG_DASHES = {"solid": "none", "dashed": "8 4", "dotted": "2 3", "dashdot": "8 3 2 3"}


class Line(NamedTuple):
    """How the line of a term is drawn.

    Attributes:
      color: as in CSS.
      dash: "solid", "dashed", "dotted" or "dashdot".
    """

    color: str
    dash: str

    @property
    def svg_dash(self) -> str:
        """The dash as SVG has it.

        >>> Line("#000000", "dashed").svg_dash
        '8 4'
        """
        return _SVG_DASHES[self.dash]


TOTAL = Line("#000000", "solid")


def lines(names: Sequence[str]) -> dict[str, Line]:
    """Returns a line for each of some terms, by name, in their order; after 24 they repeat.

    Source: Okabe and Ito, Color Universal Design, 2008.

    >>> lines(["data", "small"])["small"]
    Line(color='#D55E00', dash='solid')
    >>> lines([str(i) for i in range(7)])["6"]
    Line(color='#0072B2', dash='dashed')
    """
    count = len(_COLORS)
    return {name: Line(_COLORS[i % count], _DASHES[i // count % len(_DASHES)]) for i, name in enumerate(names)}


def classes(count: int) -> list[str]:
    """Returns a colour for each of so many classes, in their order, the first of which is pale; after 13 they repeat.

    Source: Tol, Colour Schemes, 2021.

    >>> classes(3)
    ['#eceef2', '#77AADD', '#EE8866']
    """
    return [_CLASSES[i % len(_CLASSES)] for i in range(count)]
