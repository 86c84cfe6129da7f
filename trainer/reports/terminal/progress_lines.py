"""Progress lines: how far a run is and what its terms are, as two lines of any width or as one of a file."""

import dataclasses
from collections.abc import Mapping, Sequence

from rich.text import Text

from trainer.reports import palette
from trainer.reports.log import term_names
from trainer.reports.terminal import figures

_GAP = "  "
_NARROWEST, _COMFORTABLE, _WIDEST = 6, 10, 40
_VALUE = 7
_NAMES = (24, 16, 12, 9, 6)
_ENOUGH = 3
_SLACK = 1.25


@dataclasses.dataclass(kw_only=True)
class Progress:
    """How far a run is.

    Attributes:
      steps: the number of updates in all.
      first_step: the number that was done before this process.
      began: when it began, in seconds of some clock.
      step: the number that is done.
      at: when that was told.
      rate: steps a second of training, without evaluations.
    """

    steps: int
    first_step: int
    began: float
    step: int
    at: float
    rate: float = 0.0

    def left(self, now: float) -> float | None:
        """Returns the seconds to the end, at the pace so far with all that was done besides; None where none is known.

        >>> Progress(steps=10, first_step=2, began=0.0, step=6, at=8.0).left(now=9.0)
        7.0
        """
        done, remaining = self.step - self.first_step, self.steps - self.step
        if not remaining:
            return 0.0
        return max(0.0, remaining * (self.at - self.began) / done - (now - self.at)) if done > 0 else None


def progress_line(progress: Progress, now: float, width: int) -> Text:
    """Returns a bar, the steps, the percentage, both times and the speed, some of which go where it is narrow.

    >>> progress = Progress(steps=600, first_step=0, began=0.0, step=351, at=20.0, rate=17.31)
    >>> print(progress_line(progress, 20.0, 72))
    ━━━━━━━━━━━━━━─────────── 351 of 600   58%     0:14 left    17.3 steps/s
    >>> print(progress_line(progress, 20.0, 30))
    ━━━━━─────   58%     0:14 left
    """
    done = figures.percent(progress.step, progress.steps)
    parts = {
        "steps": f" {progress.step:{len(f'{progress.steps:,}')},} of {progress.steps:,}",
        "percent": f"{done:3d}%",
        "elapsed": f"{figures.duration(now - progress.began):>7} elapsed",
        "left": f"{figures.duration(progress.left(now)):>7} left",
        "rate": f"{figures.speed(progress.rate):>14}",
    }
    shown = {"percent", "left"}
    for part in ("steps", "rate", "elapsed"):
        if _taken(parts, {*shown, part}) + _COMFORTABLE <= width:
            shown.add(part)
    size = max(_NARROWEST, min(_WIDEST, width - _taken(parts, shown)))
    filled = size * done // 100
    line = Text("━" * filled, style="green", no_wrap=True).append("─" * (size - filled), style="bright_black")
    for name, text in parts.items():
        if name in shown:
            line.append(f"{_GAP if name != 'steps' else ''}{text}", style="bold" if name == "percent" else "")
    return line


def _taken(parts: Mapping[str, str], shown: set[str]) -> int:
    return sum(len(parts[name]) + len(_GAP) for name in shown) - ("steps" in shown) * len(_GAP)


def terms_line(values: Mapping[str, float], order: Sequence[str], width: int) -> Text:
    """Returns the total and the weighted values that make it, as many as fit in this order, and how many do not.

    Args:
      values: of a record, by tag.
      order: the names of the terms.
      width: the number of columns.

    >>> values = {"loss/total": 1.5, "terms/a/weighted": 0.5, "terms/b/weighted": 1.0}
    >>> print(terms_line(values, ["b", "a"], 60))
    total  1.5000 = b  1.0000 + a  0.5000
    >>> print(terms_line(values, ["b", "a"], 30))
    total  1.5000 = b  1.0000  +1
    """
    candidates = [_terms_line(values, order, width, longest) for longest in _NAMES]
    # The longest names with which the largest three are there.
    line, _ = max(candidates, key=lambda found: min(found[1], _ENOUGH))
    return line


def _terms_line(values: Mapping[str, float], order: Sequence[str], width: int, longest: int) -> tuple[Text, int]:
    """Returns the line with names of so many columns at most, and how many terms it has."""
    lines = palette.lines(term_names(values))
    line = Text(f"total {figures.compact(values['loss/total']):>{_VALUE}}", no_wrap=True)
    for i, (name, short) in enumerate(zip(order, figures.shortened(tuple(order), longest), strict=True)):
        value = f" {_shown(values, name):>{_VALUE}}"
        sign, rest = " = " if i == 0 else " + ", len(order) - i - 1
        reserved = len(f"{_GAP}+{rest}") if rest else 0
        if line.cell_len + len(sign) + len(short) + len(value) + reserved > width:
            return line.append(f"{_GAP}+{rest + 1}", style="bright_black"), i
        line.append(sign, style="bright_black").append(short, style=lines[name].color).append(value)
    return line, len(order)


def settled(order: Sequence[str], values: Mapping[str, float]) -> list[str]:
    """Returns the terms of a record, the largest first; one stays where it was unless it is clearly larger or smaller.

    >>> values = {"terms/a/weighted": 1.1, "terms/b/weighted": -1.0, "terms/c/weighted": 3.0}
    >>> settled(["b", "a"], values)
    ['c', 'b', 'a']
    """
    sizes = {name: abs(values[f"terms/{name}/weighted"]) for name in term_names(values)}
    found: list[str] = []
    for name in [*(name for name in order if name in sizes), *(name for name in sizes if name not in order)]:
        place = len(found)
        while place and sizes[name] > _SLACK * sizes[found[place - 1]]:
            place -= 1
        found.insert(place, name)
    return found


def plain_line(progress: Progress, now: float, values: Mapping[str, float]) -> str:
    """Returns all of it in one line without columns, for a file.

    >>> progress = Progress(steps=600, first_step=0, began=0.0, step=351, at=20.0, rate=17.31)
    >>> plain_line(progress, 20.0, {"loss/total": 0.5, "terms/data/weighted": 0.5})
    'step 351 of 600 (58%), 0:14 left, 17.3 steps/s: total 0.5 = data 0.5'
    """
    return (
        f"step {progress.step:,} of {progress.steps:,} ({figures.percent(progress.step, progress.steps)}%), "
        f"{figures.duration(progress.left(now))} left, {figures.speed(progress.rate)}: {sum_of_terms(values)}"
    )


def sum_of_terms(values: Mapping[str, float]) -> str:
    """Returns the total and all weighted values that make it as text, with a dash where nothing was counted.

    >>> sum_of_terms({"loss/total": 1.5, "terms/data/weighted": 1.5, "terms/data/count": 64.0})
    'total 1.5 = data 1.5'
    >>> sum_of_terms({"loss/total": 0.0, "terms/data/weighted": 0.0, "terms/data/count": 0.0})
    'total 0 = data -'
    """
    terms = " + ".join(
        f"{name} {figures.precise(values[f'terms/{name}/weighted']) if is_counted(values, name) else '-'}"
        for name in term_names(values)
    )
    return f"total {figures.precise(values['loss/total'])} = {terms}"


def is_counted(values: Mapping[str, float], name: str) -> bool:
    """Returns whether a record has some value of a term."""
    return bool(values.get(f"terms/{name}/count", 1))


def _shown(values: Mapping[str, float], name: str) -> str:
    return figures.compact(values[f"terms/{name}/weighted"]) if is_counted(values, name) else "-"
