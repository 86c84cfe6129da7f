"""Picture: what an evaluation gives besides numbers, as data and as a drawing of them."""

import abc
import dataclasses
import functools
import io
import time
from collections.abc import Callable, Mapping
from typing import Any

_DOTS_PER_INCH = 120


@dataclasses.dataclass(frozen=True, kw_only=True)
class Drawing(abc.ABC):
    """A picture of an evaluation, drawn only where some report shows it, and once for all reports.

    Attributes:
      name: what it shows, such as the name of a metric.
      step: the number of updates done.
      data: numbers and texts that it shows, and lists and dicts of them, by name.
    """

    name: str
    step: int
    data: Mapping[str, Any]

    @property
    @abc.abstractmethod
    def path(self) -> str:
        """Where it is kept below `pictures/`, without the ending of a file."""

    @property
    @abc.abstractmethod
    def tag(self) -> str:
        """Its tag in TensorBoard."""

    @abc.abstractmethod
    def figure(self) -> Any:
        """Returns a new Matplotlib figure."""

    def png(self) -> bytes:
        """Returns the drawing as a PNG file."""
        return self._drawn[0]

    @property
    def seconds(self) -> float | None:
        """How long drawing took; None before."""
        drawn = vars(self).get("_drawn")
        return None if drawn is None else drawn[1]

    @functools.cached_property
    def _drawn(self) -> tuple[bytes, float]:
        began, file = time.perf_counter(), io.BytesIO()
        self.figure().savefig(file, dpi=_DOTS_PER_INCH)
        return file.getvalue(), time.perf_counter() - began


@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture(Drawing):
    r"""The picture of a metric.

    Attributes:
      draw: draws the data on Matplotlib axes.

    >>> picture = Picture(name="line", step=3, data={"y": [1, 2]}, draw=lambda data, axes: axes.plot(data["y"]))
    >>> picture.png()[:4]
    b'\x89PNG'
    """

    draw: Callable[[Mapping[str, Any], Any], Any]

    @property
    def path(self) -> str:
        return f"metrics/{self.name}"

    @property
    def tag(self) -> str:
        return f"metrics/{self.name}/picture"

    def figure(self) -> Any:
        from matplotlib.figure import Figure  # here, so that a run without pictures does not wait for it

        figure = Figure(figsize=(5, 4), layout="constrained")
        axes = figure.subplots()
        axes.set_title(f"{self.name} at step {self.step:,}", fontsize=10)
        self.draw(self.data, axes)
        return figure
