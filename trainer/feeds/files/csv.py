"""CsvSource: examples in the rows of CSV files."""

import dataclasses
import functools
import json
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import gin
import numpy as np

from objectives import ConfigurationError, Key
from objectives.annotations import Expected
from objectives.blame import shown_path
from objectives.errors import Mistakes, expected, nearest
from trainer.feeds.files.columns import (
    read_columns,
    read_names,
    read_texts,
    require_all_named,
    require_column,
    stacked,
)
from trainer.feeds.files.names import all_names
from trainer.feeds.files.paths import Files, find_files
from trainer.feeds.files.split_source import SplitSource
from trainer.feeds.table import ArrayTable, Table

Columns = Annotated[
    str | Sequence[str] | Mapping[str, str | Sequence[str]] | None,
    Expected("the name of a column, a list of names, or a dict of these by key"),
]

Separator = Annotated[
    str,
    Expected(
        "one character, such as ',' or ';' or '\\t'", lambda text: len(text) == 1 and text not in ('"', "\n", "\r")
    ),
]

# Begins the names of what a run records of how files were read.
_HOW = "csv "


@gin.register(module="trainer")
@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class CsvSource(SplitSource):
    """Examples in the rows of CSV files, whose first row has the names of the columns.

    A list of columns is one float32 array `[rows, columns]`. One name by itself is an array `[rows]`, as labels are,
    of int64 if all of its numbers are whole. A dict of these makes a dict of arrays. The files are read once, as a
    whole.

    Attributes:
      file: the file, a pattern such as `parts/*.csv`, or a list of them; rows are in the order of the files' names.
      inputs: the columns that the model reads. By default a list of all that are not named otherwise.
      targets: the columns that terms compare the outputs with, if any.
      sample_weight: the column with a factor for each example, if any.
      categories: for columns that hold text, their texts in the order of the numbers that they become, from 0 on.
      split_by: a column of which all rows with the same value are on the same side of the split, such as the patient
        that several rows are of. By default each row is drawn by its number.
      separator: what is between two columns.

    Raises:
      ConfigurationError: There is no such file or column. Or a value is missing, not finite or no number: the message
        names the file, the row (the first one below the names is row 1) and the column.
    """

    file: Files
    inputs: Columns = None
    targets: Columns = None
    sample_weight: str | None = None
    categories: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    split_by: str | None = None
    separator: Separator = ","

    @property
    def class_names(self) -> Mapping[Key, tuple[str, ...]]:
        return dict(self._named_classes("targets", self.targets))

    @functools.cached_property
    def places(self) -> Sequence[pathlib.Path]:
        """The files of the examples in their order."""
        return find_files(self.file, "CsvSource.file")

    @functools.cached_property
    def columns(self) -> Any:
        """The columns that the model reads, in their order: those that `inputs` names, or else those of the file."""
        if self.inputs is not None:
            return self.inputs
        others = {*all_names(self.targets), *all_names(self.sample_weight), *all_names(self.split_by)}
        known = read_names(self.places[0], separator=self.separator)
        names = [name for name in known if name not in others]
        require_all_named(self.places[0], names, "CsvSource.inputs")
        return names

    def record(self) -> dict[str, str]:
        """Returns what a run stores of this source; also how it reads a file, so that others are read likewise.

        Dicts are in the order of their keys, which means nothing, as gin writes them in another one.
        """
        how = {"inputs": self.columns, "categories": self.categories, "separator": self.separator}
        texts = {f"{_HOW}{name}": json.dumps(value, sort_keys=True) for name, value in how.items()}
        return {**super().record(), **texts}

    def _read(self) -> Table:
        parts = {"inputs": self.columns, "targets": self.targets, "sample_weight": self.sample_weight}
        if self.split_by is not None:
            for file in self.places:
                require_column(file, self.split_by, separator=self.separator)
        columns = functools.cache(self._columns)  # read once the names of the first part have been checked
        arrays = {part: self._arrays(part, asked, columns) for part, asked in parts.items() if asked is not None}
        if not len(next(iter(columns().values()))):
            raise ConfigurationError(f"CsvSource: {self._shown} has no rows below the names; expected at least one")
        return ArrayTable(arrays)

    def _named_classes(self, key: Key, asked: Any) -> Iterator[tuple[Key, tuple[str, ...]]]:
        """Yields the key of each target that is one column of text alone, and the texts."""
        if isinstance(asked, Mapping):
            for name, part in asked.items():
                yield from self._named_classes(f"{key}.{name}", part)
        elif len(names := all_names(asked)) == 1 and names[0] in self.categories:
            yield key, tuple(self.categories[names[0]])

    @property
    def _row_names(self) -> int | Sequence[str]:
        if self.split_by is None:
            return self._whole.size
        mistakes = Mistakes()
        texts: list[str] = []
        for file in self.places:
            with mistakes.gathered("CsvSource.split_by"):
                texts += map(str, read_texts(file, self.split_by, separator=self.separator))
        mistakes.raise_any()
        return texts

    @property
    def _shown(self) -> str:
        return ", ".join(map(shown_path, self.places))

    def _columns(self) -> dict[str, np.ndarray]:
        """Reads the columns that are asked for, over all files."""
        names = [*dict.fromkeys([*all_names(self.columns), *all_names(self.targets), *all_names(self.sample_weight)])]
        if unknown := [name for name in self.categories if name not in names]:
            raise ConfigurationError(f"CsvSource.categories has the column {unknown[0]!r}, which nothing reads")
        read = functools.partial(read_columns, separator=self.separator, categories=self.categories)
        asked = [name for part in (self.inputs, self.targets, self.sample_weight) for name in all_names(part)]
        mistakes, found = Mistakes(), []
        for file in self.places:
            with mistakes.gathered("CsvSource"):
                self._refuse_inputs_alone(file)
                found.append(read(file, names, asked=asked))
        mistakes.raise_any()
        return {name: np.concatenate([columns[name] for columns in found]) for name in names}

    def _refuse_inputs_alone(self, file: pathlib.Path) -> None:
        """Raises ConfigurationError for a file that has all inputs and no target, as one to predict for has."""
        targets, inputs = all_names(self.targets), all_names(self.columns)
        known = read_names(file, separator=self.separator)
        if not targets or {*targets} & {*known} or not {*inputs} <= {*known}:
            return
        if all(nearest(name, known, used=all_names(self.inputs)) is None for name in targets):
            raise ConfigurationError(
                f"{shown_path(file)} has no column {' or '.join(map(repr, targets))}; {expected(targets[0], known)}. "
                f"An evaluation needs targets, as training does; `termwise predict` does not"
            )

    def _arrays(self, part: str, asked: Any, columns: Callable[[], Mapping[str, np.ndarray]]) -> Any:
        if isinstance(asked, str):
            return columns()[asked]
        if isinstance(asked, Mapping):
            return {key: self._arrays(part, names, columns) for key, names in asked.items()}
        if not asked:
            raise ConfigurationError(f"CsvSource.{part} names no column; expected at least one")
        if twice := [name for name in asked if [*asked].count(name) > 1]:
            raise ConfigurationError(f"CsvSource.{part} names the column {twice[0]!r} twice; expected each once")
        return stacked({name: columns()[name] for name in asked}, f"CsvSource.{part}")


def recorded(data: Mapping[str, str]) -> dict[str, Any]:
    """Returns how a `CsvSource` of training read its files, by parameter, given what a run recorded of its data.

    >>> recorded({"examples": "50", "csv inputs": '["a", "b"]'})
    {'inputs': ['a', 'b']}
    """
    return {name.removeprefix(_HOW): json.loads(text) for name, text in data.items() if name.startswith(_HOW)}
