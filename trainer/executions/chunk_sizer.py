"""ChunkSizer: how many steps the next chunk takes."""

# Long enough that the host's overhead for a chunk is negligible, short enough that the progress bar moves.
_SECONDS = 0.5


class ChunkSizer:
    """Sizes chunks by the speed measured so far, unless a size is given.

    >>> sizer = ChunkSizer(None, limit=1000)
    >>> sizer.took(steps=10, seconds=0.1)
    >>> sizer.steps_per_second, sizer.next(until=1000)
    (100.0, 50)
    >>> ChunkSizer(7, limit=1000).next(until=5)
    5
    """

    def __init__(self, chunk_steps: int | None, *, limit: int):
        self._fixed, self._limit = chunk_steps, limit
        self.steps_per_second = 0.0

    def next(self, *, until: int) -> int:
        """Returns the number of steps of the next chunk, at most `until`; the first chunks are short."""
        wanted = self._fixed or max(int(self.steps_per_second * _SECONDS), 10)
        return min(wanted, until, self._limit)

    def took(self, *, steps: int, seconds: float) -> None:
        """Records the speed of a chunk that was run."""
        self.steps_per_second = steps / seconds
