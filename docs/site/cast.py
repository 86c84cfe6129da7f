"""A cast: what a command shows on a terminal, recorded while it runs and drawn as a moving picture.

    python docs/site/cast.py docs/terminal.svg python scripts/train.py --gin_file=...

Browsers play the picture once, many times as fast as the command was, and stay at its end; whatever shows no
motion shows the end.
"""

import fcntl
import html
import os
import pathlib
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence

from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME as THEME
from rich.text import Text

COLUMNS = 100
_SECONDS = 12.0  # of the picture, before it stays as it is
_FRAMES = 48
_WIDTH, _HEIGHT, _MARGIN = 8.4, 19, 16

_CONSOLE = Console(width=COLUMNS, color_system="truecolor", force_terminal=True)

# What has been shown, and when, in seconds.
Recording = Sequence[tuple[float, str]]


def record(command: Sequence[str]) -> Recording:
    """Runs a command on a terminal of its own; returns what it wrote, piece by piece, with paths from here on."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 40, COLUMNS, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR", "COLUMNS")}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env={**environment, "TERM": "xterm-256color"}) as run:
        os.close(theirs)
        shown = [(time.monotonic(), piece) for piece in _pieces(ours)]
    if run.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {run.returncode}: {shown[-1][1]}")
    return shown


def screens(recording: Recording, count: int = _FRAMES) -> list[list[Text]]:
    """Returns what the terminal shows at so many moments, line by line, from the first output on to the end."""
    begin, end, lines, y = recording[0][0], recording[-1][0], [""], 0
    found: list[list[Text]] = []
    for moment, piece in recording:
        while len(found) < count - 1 and moment - begin > (end - begin) * len(found) / (count - 1):
            found.append(_decoded(lines))
        for up, erased, line, other in re.findall(
            r"\x1b\[(\d*)A|(\x1b\[2K)|(\r*\n)|\r|(\x1b\[[\d;]*m|[^\x1b\r\n]+)", piece
        ):
            if up:
                y -= int(up)
            elif erased:
                lines[y] = ""
            elif line:
                y += 1
                lines += [""] * (y == len(lines))
            else:
                lines[y] += other
    return [*found, _decoded(lines)]


def drawn(command: str, shown: Sequence[Sequence[Text]]) -> str:
    """Returns an SVG of a command and the screens that follow, each as long as any other."""
    typed = _decoded([f"\x1b[32m$\x1b[0m {command}"])
    height = len(typed) + max(len(lines) for lines in shown)
    size = f"{COLUMNS * _WIDTH + 2 * _MARGIN:.0f} {height * _HEIGHT + 2 * _MARGIN}"
    elements = [*(_line(line, row) for row, line in enumerate(typed)), *_versions(shown, len(typed))]
    body = "\n".join(elements)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img">
<title>What {html.escape(command)} shows on a terminal</title>
<style>text {{ font: 14px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; }}</style>
<rect width="100%" height="100%" rx="8" fill="{THEME.background_color.hex}"/>
{body}
</svg>
"""


def _pieces(terminal: int) -> Iterator[str]:
    """Yields whole lines as they arrive, until nobody writes any more."""
    left = b""
    while True:
        try:
            left += os.read(terminal, 65536)
        except OSError:  # so Linux tells that nobody has the other side any more
            break
        lines, newline, left = left.rpartition(b"\n")
        if newline:
            yield (lines + newline).decode().replace(f"{pathlib.Path.cwd()}/", "")
    yield left.decode()


def _decoded(lines: Sequence[str]) -> list[Text]:
    """Returns lines with their styles, cut where the terminal is full."""
    texts = [AnsiDecoder().decode_line(line) for line in lines]
    found = [part for text in texts for part in text.divide(range(COLUMNS, len(text), COLUMNS))]
    while found and not found[-1].plain:
        found.pop()
    return found


def _versions(shown: Sequence[Sequence[Text]], above: int) -> Iterator[str]:
    """Yields what stands in each row, below so many others, for how long: what does not change is drawn once."""
    for row in range(max(len(lines) for lines in shown)):
        begin = 0
        for frame in range(1, len(shown) + 1):
            last = frame == len(shown)
            if last or _text(shown[frame], row) != _text(shown[begin], row):
                if _text(shown[begin], row).plain:
                    yield _line(
                        _text(shown[begin], row),
                        above + row,
                        _moment(begin, shown),
                        None if last else _moment(frame, shown),
                    )
                begin = frame


def _text(lines: Sequence[Text], row: int) -> Text:
    return lines[row] if row < len(lines) else Text()


def _moment(frame: int, shown: Sequence[object]) -> float:
    return frame * _SECONDS / len(shown)


def _line(text: Text, row: int, begin: float = 0.0, end: float | None = None) -> str:
    """Returns a line of the picture, which is there from one moment to another one, or from then on."""
    y, x, parts = _MARGIN + _HEIGHT * (row + 0.75), float(_MARGIN), []
    for segment in text.render(_CONSOLE):
        length = segment.cell_length * _WIDTH
        if segment.text.strip():
            words = html.escape(segment.text)
            parts.append(
                f'<text x="{x:.1f}" y="{y:.1f}" textLength="{length:.1f}" {_style(segment.style)}>{words}</text>'
            )
        x += length
    seen, inside = "hidden" if end else "visible", "".join([*_motion(begin, end), *parts])
    return f'<g visibility="{seen}">{inside}</g>'


def _motion(begin: float, end: float | None) -> Iterator[str]:
    if end is not None:
        yield f'<set attributeName="visibility" to="visible" begin="{begin:.2f}s" dur="{end - begin:.2f}s"/>'
    elif begin > 0:
        yield f'<set attributeName="visibility" to="hidden" begin="0s" dur="{begin:.2f}s"/>'


def _style(style: Style | None) -> str:
    style = style or Style()
    color = THEME.foreground_color if style.color is None else style.color.get_truecolor(THEME)
    attributes = {
        "fill": color.hex,
        "font-weight": "bold" if style.bold else None,
        "opacity": "0.6" if style.dim else None,
    }
    return " ".join(f'{name}="{value}"' for name, value in attributes.items() if value)


if __name__ == "__main__":
    path, *command = sys.argv[1:]
    words = " ".join(command)
    pathlib.Path(path).write_text(drawn(words, screens(record(command))), encoding="utf-8")
