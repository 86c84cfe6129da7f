"""Spacing: which pictures are drawn, so that drawing takes a small share of the time of a run."""

import time
from collections.abc import Callable, Sequence

from trainer.reports.picture import Drawing

_SHARE = 0.05


class Spacing:
    """Lets pictures of evaluations through as long as drawing them takes at most 5 % of the time, and always the last.

    >>> from trainer.reports import Picture
    >>> pictures = [Picture(name="line", step=1, data={}, draw=lambda data, axes: None)]
    >>> spacing = Spacing()
    >>> [len(spacing.due(pictures, is_last=is_last)) for is_last in (False, False, True)]  # none is drawn yet
    [1, 0, 1]

    Attributes:
      withheld: those of the latest evaluation that were not let through, for one that turns out to be the last.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self.withheld: Sequence[Drawing] = ()
        self._clock = clock
        self._passed: Sequence[Drawing] = ()
        self._when = 0.0

    def due(self, pictures: Sequence[Drawing], *, is_last: bool) -> Sequence[Drawing]:
        """Returns the pictures of an evaluation that are to be drawn: all of them or none."""
        now = self._clock()
        if not (is_last or self._is_time(now)):
            self.withheld = pictures
            return ()
        self.withheld, self._passed, self._when = (), pictures, now
        return pictures

    def _is_time(self, now: float) -> bool:
        drawing = [picture.seconds for picture in self._passed]
        # None where they wait to be drawn still.
        return None not in drawing and now - self._when >= sum(s for s in drawing if s is not None) / _SHARE
