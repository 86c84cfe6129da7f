"""Progress: a long replay of a dataset in parts, so that signals are handled between them and progress is shown."""

import time

from absl import logging

# Seconds: the approximate duration of a part, and the time between two log lines.
_PART, _LINE = 0.5, 10.0


class Progress:
    """Chooses how many batches to replay next.

    >>> progress = Progress(100)
    >>> progress.next_part
    1
    >>> progress.advance(1)
    >>> progress.next_part  # grows at most tenfold
    10
    """

    def __init__(self, batches: int):
        """Takes how many there are in all."""
        self._batches, self._done, self._part = batches, 0, 1
        self._began = self._since = self._told = time.monotonic()

    @property
    def next_part(self) -> int:
        """How many batches to replay before the next call of `advance`."""
        return min(self._part, self._batches - self._done)

    def advance(self, batches: int) -> None:
        """Takes note that so many more are done; says so every few seconds."""
        now = time.monotonic()
        seconds = max(now - self._since, 1e-6)
        self._part = max(1, min(10 * batches, int(batches * _PART / seconds)))
        self._done, self._since = self._done + batches, now
        if now - self._told >= _LINE and self._done < self._batches:
            self._told = now
            left = (now - self._began) / self._done * (self._batches - self._done)
            logging.warning(
                "replaying the dataset: %d of %d batches, about %.0f s to go", self._done, self._batches, left
            )
