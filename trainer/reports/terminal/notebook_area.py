"""Notebook area: all that a run says as one output of a cell, which is redrawn."""

import io
from typing import Any

from rich.console import Console

from trainer.reports.terminal.live_area import Draw
from trainer.reports.terminal.repeatedly import Repeatedly

_WIDTH = 115


class NotebookArea(io.StringIO):
    """A file whose text is an output of the current cell, with lines below it that are redrawn until it is stopped.

    Attributes:
      console: prints into it.
    """

    def __init__(self, draw: Draw):
        """Makes an area that is not shown yet; `draw` returns the lines."""
        super().__init__()
        self._draw = draw
        self._shown = ""
        self._display: Any = None
        self._redrawing: Repeatedly | None = None
        self.console = Console(file=self, width=_WIDTH, force_jupyter=False, force_terminal=False, soft_wrap=True)

    def start(self) -> None:
        """Shows it below what the cell has shown before."""
        from IPython.display import display

        self._redrawing = Repeatedly(self._redraw)
        self._shown = self._text()
        self._display = display({"text/plain": self._shown}, raw=True, display_id=True)
        self._redrawing.start()

    def stop(self) -> None:
        """Removes the lines; what is written from now on is shown at once."""
        assert self._redrawing, "it was started"
        self._redrawing.stop()
        self._redrawing = None
        self._redraw()

    def flush(self) -> None:
        super().flush()
        if self._display and not self._redrawing:
            self._redraw()

    def _text(self) -> str:
        lines = [line.plain for line in self._draw()] if self._redrawing else []
        return self.getvalue() + "\n".join(lines)

    def _redraw(self) -> None:
        if (text := self._text()) != self._shown:
            self._shown = text
            self._display.update({"text/plain": text}, raw=True)
