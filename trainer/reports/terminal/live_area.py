"""Live area: lines that are redrawn in place, at the bottom of a terminal."""

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console, ConsoleRenderable, RenderHook
from rich.control import Control
from rich.file_proxy import FileProxy
from rich.segment import ControlType
from rich.text import Text

from trainer.reports.terminal.repeatedly import Repeatedly
from trainer.reports.terminal.screen import while_it_lasts

Draw = Callable[[], Sequence[Text]]


class LiveArea(RenderHook):
    """Lines at the bottom of a terminal, below all that is printed meanwhile, also by others in this process.

    The cursor stays visible, at the start of the line below them. So a process may end in any way, or print on its own,
    and nothing has to be restored.
    """

    def __init__(self, console: Console, draw: Draw):
        """Makes an area that is not drawn yet.

        Args:
          console: the terminal.
          draw: returns the lines, which are shorter than the terminal is wide.
        """
        self._console, self._draw = console, draw
        self._drawn: Sequence[str] = ()
        self._width = console.width
        self._lock = threading.RLock()
        self._redrawing = Repeatedly(self._redraw)
        self._streams: dict[str, tuple[Any, FileProxy]] = {}

    def start(self) -> None:
        """Draws the lines, and again every fifth of a second."""
        self._console.push_render_hook(self)
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if self._console.file is sys.stdout and stream.isatty() and not isinstance(stream, FileProxy):
                self._streams[name] = stream, FileProxy(self._console, stream)
        for name, (_, proxy) in self._streams.items():
            setattr(sys, name, proxy)
        self._console.print(Control())
        self._redrawing.start()

    def stop(self) -> None:
        """Removes the lines, and draws no more."""
        self._redrawing.stop()
        for name, (stream, proxy) in self._streams.items():
            proxy.flush()
            if getattr(sys, name) is proxy:  # and not what a user has put in its place
                setattr(sys, name, stream)
        with self._lock:
            erased = self._erasure()
            self._console.pop_render_hook()
            self._console.control(erased)

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Puts what is printed in the place of the lines, and draws them below."""
        with self._lock:
            erased = self._erasure()
            self._width = self._console.width
            lines = self._draw()[: self._console.height - 1]
            self._drawn = [line.plain for line in lines]
        return [erased, *renderables, *lines]

    def _redraw(self) -> None:
        if [line.plain for line in self._draw()] != self._drawn or self._width != self._console.width:
            with while_it_lasts():
                self._console.print(Control())

    def _erasure(self) -> Control:
        """Returns what erases the lines; a terminal that has become narrower shows each of them as several."""
        width = self._console.width
        rows = sum(-(-max(1, len(line)) // width) for line in self._drawn)
        erase = (ControlType.ERASE_IN_LINE, 2)
        return Control(ControlType.CARRIAGE_RETURN, erase, *((ControlType.CURSOR_UP, 1), erase) * rows)
