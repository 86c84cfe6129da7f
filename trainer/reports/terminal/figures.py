"""Figures: numbers, times and names as text of few columns, for lines whose columns must not move."""

import functools
import math
import os
from collections.abc import Iterable, Sequence

import numpy as np

from trainer.reports.decades import spans_decades

# Digits of a number, beside its point.
_DIGITS = 5
_CUT = "…"
_BARS = "▁▂▃▄▅▆▇█"
# What the signs that only Unicode has become where a stream cannot hold them.
_PLAIN = str.maketrans("━─▁▂▃▄▅▆▇█…·", "#-_.,:-=+#~.")


def compact(value: float) -> str:
    """Returns a number as text of at most 7 columns, with as many digits as they take.

    >>> [compact(value) for value in (0.1874, 12.345678, -1234.5, 3.4e-5, -3.4e-5, 2e9, 0.0, math.nan)]
    ['0.1874', '12.346', '-1234.5', '3.4e-05', '-3e-05', '2.0e+09', '0', 'nan']
    """
    size = abs(value)
    if not size or not math.isfinite(size):
        return f"{value:.0f}"
    if 1e-3 <= size < 1e4:
        return f"{value:.{min(_DIGITS - 1, _DIGITS - len(str(int(size))))}f}"
    return f"{value:.1e}" if value > 0 else f"{value:.0e}"


def precise(value: float) -> str:
    """Returns a number as text of at most 9 columns, with 4 digits, or 3 beside a sign and an exponent.

    >>> [precise(value) for value in (0.18744, -3.4567e-5, 12345.6)]
    ['0.1874', '-3.46e-05', '1.235e+04']
    """
    text = f"{value:.4g}"
    return text if len(text) <= 9 else f"{value:.3g}"


def duration(seconds: float | None) -> str:
    """Returns a time as minutes, hours or days; dashes where it is not known.

    >>> [duration(seconds) for seconds in (7.4, 3605, 266_400, None)]
    ['0:07', '1:00:05', '3d 02h', '-:--']
    """
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return f"{hours // 24}d {hours % 24:02d}h"
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def speed(steps_per_second: float) -> str:
    """Returns a speed in steps per second, or what a step takes where that is longer than a second.

    >>> [speed(rate) for rate in (12345.6, 17.34, 0.4, 0.0)]
    ['12,346 steps/s', '17.3 steps/s', '2.50 s/step', '- steps/s']
    """
    if not (steps_per_second > 0 and math.isfinite(steps_per_second)):
        return "- steps/s"
    if steps_per_second < 1:
        return f"{_three_digits(1 / steps_per_second)} s/step"
    return f"{_three_digits(steps_per_second)} steps/s"


def _three_digits(value: float) -> str:
    return f"{value:,.{max(0, 3 - len(str(int(value))))}f}"


def percent(step: int, steps: int) -> int:
    """Returns how much of the steps is done, in percent; 100 only where all are.

    >>> percent(1999, 2000), percent(2000, 2000)
    (99, 100)
    """
    return 100 * step // steps if steps else 100


@functools.lru_cache(maxsize=64)
def shortened(names: tuple[str, ...], width: int) -> Sequence[str]:
    """Returns names that take at most so many columns, cut inside, where they stay different if that is possible.

    Those that would not are cut in two places, around where they begin to differ.

    >>> shortened(("data", "layer_1_regularization", "layer_2_regularization"), 9)
    ['data', 'layer_1…n', 'layer_2…n']
    >>> shortened(("overlap_of_left_ventricle", "overlap_of_right_ventricle"), 9)
    ['ove…left…', 'ove…righ…']
    """
    if all(len(name) <= width for name in names):
        return names
    candidates = [
        [_cut_inside(name, head, width - 1 - head) if len(name) > width else name for name in names]
        for head in sorted(range(width), key=lambda head: abs(head - 2 * width // 3))
    ]
    found = max(candidates, key=lambda texts: len(set(texts)))
    alike = {text: {name for name, other in zip(names, found, strict=True) if other == text} for text in found}
    return [
        text if len(alike[text]) == 1 else _cut_twice(name, _start_of_difference(alike[text]), width)
        for name, text in zip(names, found, strict=True)
    ]


def _cut_inside(name: str, head: int, tail: int) -> str:
    return f"{name[:head]}{_CUT}{name[len(name) - tail :]}"


def _cut_twice(name: str, start: int, width: int) -> str:
    head = width // 3
    text = f"{name[:head]}{_CUT}{name[start:]}" if start > head else name
    return text if len(text) <= width else f"{text[: width - 1]}{_CUT}"


def _start_of_difference(names: Iterable[str]) -> int:
    return len(os.path.commonprefix([*names]))  # noqa: RUF071 (of any texts)


def trend(values: np.ndarray, columns: int) -> str:
    """Returns values over time as bars of 8 heights, from the lowest to the highest of them; what is nan is left out.

    Heights are of logarithms where positive values span decades, as on the axes of charts.

    >>> trend(np.array([1.0, 2.0, np.nan, 3.0, 5.0, 8.0]), 6)
    '▁▂▃▅█'
    >>> trend(np.array([1000.0, 100.0, 10.0, 1.0]), 2), trend(np.array([5.0, 5.0]), 2)
    ('█▁', '▁▁')
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return ""
    means = np.array([part.mean() for part in np.array_split(known, min(columns, len(known)))])
    if means.min() > 0 and spans_decades([means]):
        means = np.log(means)
    heights = (means - means.min()) / (np.ptp(means) or 1.0) * (len(_BARS) - 1)
    return "".join(_BARS[round(height)] for height in heights)


def plain(text: str) -> str:
    """Returns the text in signs that every stream can hold, one for one.

    >>> plain("━━── layer…n")
    '##-- layer~n'
    """
    return text.translate(_PLAIN)
