"""FileSource: the base of sources over files, with what all of them have: the split, the order and where they stay."""

import abc
import dataclasses
import functools
from collections.abc import Sequence
from typing import Annotated

import numpy as np

from objectives import ConfigurationError
from objectives.annotations import Expected
from trainer.feeds.batch_schedule import BatchSchedule
from trainer.feeds.feed import Feed
from trainer.feeds.files.splits import Fraction, Split, rows_of
from trainer.feeds.resident import ResidentFeed
from trainer.feeds.sources import TableSource, is_resident
from trainer.feeds.table import ArrayTable, SelectedRows, Table

Seed = Annotated[int, Expected("a whole number of at least 0", lambda seed: seed >= 0)]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FileSource(TableSource):
    """Examples in files, or one side of a split of them.

    Attributes:
      shuffle: whether each epoch of training has an order of its own.
      resident: whether all examples are kept on the device; None for those of at most 1 GiB.
      split: "train" or "eval" for one side of a split; None for all examples.
      fraction: the share of the examples that is for evaluation, about: each example is drawn by itself, so examples
        that are added or removed later move no other one to the other side.
      split_seed: another one gives another split.
    """

    shuffle: bool = True
    resident: bool | None = None
    split: Split | None = None
    fraction: Fraction = 0.2
    split_seed: Seed = 0

    def __post_init__(self) -> None:
        _ = self.table  # read now, where a mistake is reported with the line of the gin file that it is about

    @abc.abstractmethod
    def _read(self) -> Table:
        """Returns all examples of the files."""

    @property
    def _row_names(self) -> int | Sequence[str]:
        """What each example is called, which decides its side of the split; by default it is its number."""
        return self._whole.size

    @functools.cached_property
    def table(self) -> Table:  # type: ignore[override]
        return ArrayTable(self._selected.all()) if self._stays else self._selected

    def feed(self, schedule: BatchSchedule) -> Feed:
        return ResidentFeed(schedule, self.arrays) if self._stays else super().feed(schedule)

    def facts(self, *, seed: int | None) -> dict[str, str]:
        # Of the files, as examples are the same wherever they stay.
        return {"examples": f"{self._selected.size:,}", "shuffle": str(self.shuffle), **self._selected.facts()}

    @functools.cached_property
    def _stays(self) -> bool:
        return is_resident(self._selected, self.resident)

    @functools.cached_property
    def _selected(self) -> Table:
        if self.split is None:
            return self._whole
        rows = rows_of(self.split, self._row_names, fraction=self.fraction, seed=self.split_seed)
        if not len(rows):
            raise ConfigurationError(
                f"{type(self).__name__}.split is {self.split!r}, and none of the {self._whole.size:,} examples is on "
                f"that side; expected another fraction or split_seed, or files of their own for evaluation"
            )
        return SelectedRows(self._whole, np.asarray(rows))

    @functools.cached_property
    def _whole(self) -> Table:
        return self._read()
