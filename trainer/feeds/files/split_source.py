"""SplitSource: the base of sources that may have one side of a split of their examples."""

import abc
import dataclasses
import functools
import pathlib
from collections.abc import Sequence
from typing import Annotated

import numpy as np

from objectives import ConfigurationError
from objectives.annotations import Expected
from objectives.quantities import quantity
from trainer.feeds.files.file_source import FileSource
from trainer.feeds.files.splits import Fraction, Split, rows_of
from trainer.feeds.table import SelectedRows, Table

Seed = Annotated[int, Expected("a whole number of at least 0", lambda seed: seed >= 0)]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class SplitSource(FileSource):
    """Examples in files, or one side of a split of them.

    Attributes:
      split: "train" or "eval" for one side of a split; None for all examples.
      fraction: the share of the examples that is for evaluation, about: each example is drawn by itself, so examples
        that are added or removed later move no other one to the other side.
      split_seed: another one gives another split.
    """

    split: Split | None = None
    fraction: Fraction = 0.2
    split_seed: Seed = 0

    @property
    @abc.abstractmethod
    def places(self) -> Sequence[pathlib.Path]:
        """The files of the examples in their order, or the folder of all of them."""

    @functools.cached_property
    def rows(self) -> np.ndarray:
        """The numbers of the examples that the source has, among all that are in its files."""
        if self.split is None:
            return np.arange(self._whole.size)
        return rows_of(self.split, self._row_names, fraction=self.fraction, seed=self.split_seed)

    def numbers(self, batch: int, *, batch_size: int, seed: int) -> np.ndarray:
        return self.rows[super().numbers(batch, batch_size=batch_size, seed=seed)]

    @property
    def _row_names(self) -> int | Sequence[str]:
        """What each example is called, which decides its side of the split; by default it is its number."""
        return self._whole.size

    @functools.cached_property
    def _selected(self) -> Table:
        if self.split is None:
            return self._whole
        if not len(self.rows):
            raise ConfigurationError(
                f"{type(self).__name__}.split is {self.split!r}, and none of the "
                f"{quantity(self._whole.size, 'example')} is on that side; expected another fraction or "
                f"split_seed, or files of their own for evaluation"
            )
        return SelectedRows(self._whole, self.rows)
