"""FileSource: the base of sources over files: their order, and where their examples stay."""

import abc
import dataclasses
import functools
from typing import ClassVar

from trainer.feeds.sources import TableSource, is_resident
from trainer.feeds.table import ArrayTable, Table

# The fields that say which examples they are, in those sources that have them.
_WHICH = ("file", "folder", "name", "split")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FileSource(TableSource):
    """Examples in files.

    Attributes:
      shuffle: whether each epoch of training has an order of its own.
      resident: whether all examples are kept on the device; None for those of at most 1 GiB.
    """

    shaped_by: ClassVar[tuple[str, ...]] = ("inputs",)

    shuffle: bool = True
    resident: bool | None = None

    def __post_init__(self) -> None:
        _ = self.table  # read now, where a mistake is reported with the line of the gin file that it is about

    @property
    def words(self) -> str:
        own = {name: getattr(self, name, None) for name in _WHICH}
        return f"{super().words} ({', '.join(f'{name} {value}' for name, value in own.items() if value is not None)})"

    @abc.abstractmethod
    def _read(self) -> Table:
        """Returns the examples of the files."""

    @functools.cached_property
    def table(self) -> Table:  # type: ignore[override]
        return ArrayTable(self._selected.all()) if self._stays else self._selected

    def facts(self, *, seed: int | None) -> dict[str, str]:
        # Of the files, as examples are the same wherever they stay.
        return {"examples": f"{self._selected.size:,}", "shuffle": str(self.shuffle), **self._selected.facts()}

    @functools.cached_property
    def _stays(self) -> bool:
        return is_resident(self._selected, self.resident)

    @functools.cached_property
    def _selected(self) -> Table:
        """Those examples that the source has."""
        return self._whole

    @functools.cached_property
    def _whole(self) -> Table:
        return self._read()
