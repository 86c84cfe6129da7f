"""MixedSource: examples of several sources in each step, of different numbers and from sets of different lengths."""

from collections.abc import Mapping
from typing import Annotated, Any

import gin

from objectives import ConfigurationError, Key
from objectives.annotations import Count, Expected
from objectives.context import leaves
from objectives.errors import Mistakes, expected
from objectives.fields import require_fit
from trainer.feeds.batch_schedule import BatchSchedule
from trainer.feeds.batch_sharding import BatchSharding
from trainer.feeds.feed import Feed
from trainer.feeds.mixed_feed import MixedFeed
from trainer.feeds.sources import NAMES, Source, TableSource

_PART = Annotated[
    TableSource | None,
    Expected(
        "a source whose examples can be read by their number, such as ArraySource, NpzSource, CsvSource, "
        "ImageFolderSource or TFRecordSource; a DatasetSource is only read in its own order"
    ),
]


@gin.register(module="trainer")
class MixedSource(Source):
    """Examples of several sources in each step, as physics-informed and semi-supervised problems need them.

    `MixedSource(interior=..., boundary=...)` has the parts `interior` and `boundary`. Each has examples of its own, in
    epochs of its own: a part comes in the order in which its source alone would come. Inputs are a dict of the inputs
    of the parts, of different lengths, and so are targets and sample weights for those parts that have them. Terms
    read `inputs.interior`, `targets.boundary`, and outputs of the model that bear the name of their part,
    `outputs.interior`. The mean of a term is over the examples of its part.

    Replicas and micro-batches share each part. An evaluation has each example of each part exactly once, even if the
    parts differ in length.

    Attributes:
      parts: the sources by name, in the order of their names.
      shares: how many examples of each part are in a batch, as proportions.

    Raises:
      ConfigurationError: There is no part, or a part is no source that can be read by number, or is called `shares`.

    >>> import numpy as np
    >>> from trainer import ArraySource
    >>> interior, boundary = ArraySource(np.zeros([90, 2])), ArraySource(np.zeros([8, 2]), np.zeros(8))
    >>> source = MixedSource(interior=interior, boundary=boundary, shares={"interior": 3, "boundary": 1})
    >>> source.keys
    ('inputs.boundary', 'inputs.interior', 'targets.boundary')
    >>> source.words
    'boundary: 8 examples of ArraySource, interior: 90 examples of ArraySource'
    >>> source.counts(64)
    {'boundary': 16, 'interior': 48}
    """

    def __init__(self, *, shares: Mapping[str, Count] | None = None, **parts: TableSource | None):
        """Makes a source of others by the names of the parts; one that is None is left out.

        Args:
          shares: how many examples of each part are in a batch, as proportions: of {'interior': 3, 'boundary': 1} and
            a batch of 64, 48 are of the interior. By default all parts have as many.
          **parts: the sources.
        """
        require_fit("MixedSource", parts, dict.fromkeys(parts, _PART))
        self.parts: Mapping[str, TableSource] = {
            name: source for name, source in sorted(parts.items()) if source is not None
        }
        if not self.parts:
            raise ConfigurationError("MixedSource has no part; expected some, such as MixedSource.interior = @...")
        self.shares = dict.fromkeys(self.parts, 1) if shares is None else dict(shares)
        _require_same_names(self.parts, self.shares)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in NAMES if any(name in source.names for source in self.parts.values()))

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(leaves(self.spec))

    @property
    def spec(self) -> Mapping[str, Any]:
        return self._of_parts({part: source.spec for part, source in self.parts.items()})

    @property
    def arrays(self) -> Mapping[str, Any]:
        return self._of_parts({part: source.arrays for part, source in self.parts.items()})

    @property
    def words(self) -> str:
        return ", ".join(f"{part}: {source.words}" for part, source in self.parts.items())

    @property
    def class_names(self) -> Mapping[Key, tuple[str, ...]]:
        return {
            f"targets.{part}{key.removeprefix('targets')}": names
            for part, source in self.parts.items()
            for key, names in source.class_names.items()
        }

    def counts(self, batch_size: int) -> dict[str, int]:
        """Returns how many examples of each part are in a batch.

        Raises:
          ConfigurationError: The shares do not divide the batch into whole numbers.
        """
        whole = sum(self.shares.values())
        if batch_size % whole:
            shares = ", ".join(f"{self.shares[part]} {part}" for part in self.parts)
            raise ConfigurationError(
                f"MixedSource.shares are {shares}, and Trainer.batch_size is {batch_size:,}; expected a multiple of "
                f"{whole:,}, such as {-(-batch_size // whole) * whole:,}"
            )
        return {part: self.shares[part] * batch_size // whole for part in self.parts}

    def training(self, sharding: BatchSharding, *, seed: int) -> Feed:
        shardings = self._shardings(sharding)
        feeds = {part: source.training(shardings[part], seed=seed) for part, source in self.parts.items()}
        return MixedFeed(sharding, feeds)

    def evaluation(self, sharding: BatchSharding) -> Feed:
        shardings = self._shardings(sharding)
        steps = max(-(-source.table.size // shardings[part].batch_size) for part, source in self.parts.items())
        feeds = {
            part: source.feed(BatchSchedule.once(shardings[part], source.table.size, steps=steps))
            for part, source in self.parts.items()
        }
        return MixedFeed(sharding, feeds, steps=steps)

    def record(self) -> dict[str, str]:
        return self.facts(seed=None)

    def facts(self, *, seed: int | None) -> dict[str, str]:
        found = {
            f"{part}, {name}": text
            for part, source in self.parts.items()
            for name, text in source.facts(seed=seed).items()
        }
        return {"shares": ", ".join(f"{self.shares[part]} {part}" for part in self.parts), **found}

    def _shardings(self, sharding: BatchSharding) -> dict[str, BatchSharding]:
        counts = self.counts(sharding.batch_size)
        return {
            part: BatchSharding(strategy=sharding.strategy, batch_size=count, micro_batches=sharding.micro_batches)
            for part, count in counts.items()
        }

    def _of_parts(self, found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        return {name: {part: of[name] for part, of in found.items() if name in of} for name in self.names}


def _require_same_names(parts: Mapping[str, Any], shares: Mapping[str, Any]) -> None:
    mistakes = Mistakes()
    for name in shares:
        if name not in parts:
            mistakes.messages.append(f"MixedSource.shares has {name!r}, which is no part; {expected(name, parts)}")
    for name in parts:
        if name not in shares:
            mistakes.messages.append(f"MixedSource.shares has no {name!r}; expected a share of each part")
        if "." in name:
            mistakes.messages.append(f"MixedSource has the part {name!r}; expected a name without a dot, as in keys")
    mistakes.raise_any()
