"""Picture: what an evaluation gives besides numbers, as data and as a drawing of them."""

import dataclasses
import functools
import io
from collections.abc import Callable, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture:
    r"""A picture of an evaluation, drawn only where some report shows it.

    Attributes:
      name: what it shows, such as the name of a metric.
      step: the number of updates done.
      data: what it is drawn from: texts, numbers and lists of them, by name.
      draw: draws the data on Matplotlib axes.

    >>> picture = Picture(name="line", step=3, data={"y": [1, 2]}, draw=lambda data, axes: axes.plot(data["y"]))
    >>> picture.png()[:4]
    b'\x89PNG'
    """

    name: str
    step: int
    data: Mapping[str, Any]
    draw: Callable[[Mapping[str, Any], Any], Any]

    def png(self) -> bytes:
        """Returns the drawing as a PNG file, which is drawn once for all reports."""
        return self._drawn

    @functools.cached_property
    def _drawn(self) -> bytes:
        from matplotlib.figure import Figure  # here, so that a run without pictures does not wait for it

        figure = Figure(figsize=(5, 4), layout="constrained")
        axes = figure.subplots()
        axes.set_title(f"{self.name} at step {self.step:,}", fontsize=10)
        self.draw(self.data, axes)
        file = io.BytesIO()
        figure.savefig(file, dpi=120)
        return file.getvalue()
