"""Repetition: batches that have more places than there are examples."""

from collections.abc import Iterator

from objectives.quantities import quantity
from trainer.feeds.mixed import MixedSource
from trainer.feeds.sources import Source, TableSource


def describe_repetition(train: Source, batch_size: int) -> list[str]:
    """Describes batches of training that have some examples several times, as there are fewer than a batch takes.

    >>> import numpy as np
    >>> from trainer.feeds.sources import ArraySource
    >>> describe_repetition(ArraySource(np.zeros([50, 2])), batch_size=64)  # doctest: +NORMALIZE_WHITESPACE
    ['each batch has 64 places for 50 examples, so that some are in it several times;
     Trainer.batch_size = 50 takes each once']
    >>> describe_repetition(ArraySource(np.zeros([50, 2])), batch_size=50)
    []
    """
    return [
        f"each batch has {places:,} places for {quantity(size, 'example')}{part}, so that some are in it several times"
        + ("" if part else f"; Trainer.batch_size = {size} takes each once")
        for part, places, size in _places(train, batch_size)
        if places > size
    ]


def _places(train: Source, batch_size: int) -> Iterator[tuple[str, int, int]]:
    """Yields of which part examples are, in words, how many of them a batch takes, and how many there are."""
    if isinstance(train, MixedSource):
        counts = train.counts(batch_size)
        for name, source in train.parts.items():
            yield f" of {name}", counts[name], source.table.size
    elif isinstance(train, TableSource):
        yield "", batch_size, train.table.size
