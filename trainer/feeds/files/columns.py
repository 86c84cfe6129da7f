"""Columns: numbers from the columns of CSV files; whatever is none is reported with its file, row and column."""

import lzma
import pathlib
import warnings
import zipfile
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from objectives import ConfigurationError
from objectives.blame import shown_path
from objectives.errors import Mistakes, expected
from trainer.feeds.files.extras import require_package
from trainer.feeds.table import BEYOND_SINGLE

# How many different texts of a column and names a message shows, and how many digits float32 keeps of a whole number.
_SHOWN, _FEW, _EXACT = 20, 4, 2**24
# What pandas calls columns without a name, before their number.
_UNNAMED = "Unnamed: "
# What files have between columns that is no comma.
_SEPARATORS = (";", "\t")

Categories = Mapping[str, Sequence[str]]


def read_names(path: pathlib.Path, *, separator: str = ",") -> list[str]:
    """Returns the names of the columns of a file; one that has none is called as pandas does, such as `Unnamed: 0`.

    Raises:
      ConfigurationError: The file cannot be read, gives two columns one name, or seems to have no row of names: all
        are numbers, other than the 0, 1, 2 and so on that pandas writes.
    """
    row = _read(path, header=None, nrows=1, sep=separator, dtype=str, keep_default_na=False).iloc[0]
    names = [str(name) or f"{_UNNAMED}{number}" for number, name in enumerate(row)]
    other = next((mark for mark in _SEPARATORS if len(names) == 1 and mark in names[0]), None)
    if other:
        raise ConfigurationError(
            f"{shown_path(path)} has one column, {names[0]!r}; expected CsvSource.separator = {other!r} for its names"
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(f"{shown_path(path)} has several columns {twice[0]!r}; expected names that differ")
    if all(map(_is_number, names)) and names != [*map(str, range(len(names)))]:
        shown = ", ".join(names[:_FEW]) + ", ..." * (len(names) > _FEW)
        raise ConfigurationError(
            f"{shown_path(path)} has numbers in its first row, {shown}; "
            f"expected the names of the columns above the first example, of which one at least is no number"
        )
    return names


def require_all_named(path: pathlib.Path, names: Sequence[str], owner: str) -> None:
    """Raises ConfigurationError where one of the names is that of a column without a name, such as a row's number.

    Args:
      path: the file.
      names: those columns of it that are taken as nothing is said.
      owner: where one would say it, such as `CsvSource.inputs`.
    """
    unnamed = [name for name in names if name.startswith(_UNNAMED)]
    if unnamed:
        raise ConfigurationError(
            f"{owner} is not given, and {shown_path(path)} has a column without a name, as DataFrame.to_csv writes the "
            f"index unless index=False; expected {owner} = {[name for name in names if name not in unnamed]}, with "
            f"{unnamed[0]!r} if it is wanted"
        )


def require_column(path: pathlib.Path, name: str, *, separator: str = ",") -> None:
    """Raises ConfigurationError where a file has no such column."""
    known = read_names(path, separator=separator)
    if name not in known:
        raise ConfigurationError(f"{shown_path(path)} has no column {name!r}; {expected(name, known)}")


def read_columns(
    path: pathlib.Path,
    names: Sequence[str],
    *,
    separator: str = ",",
    categories: Categories | None = None,
    asked: Collection[str] = (),
) -> dict[str, np.ndarray]:
    """Returns columns of a file by their names: whole numbers as int64, bools as they are, others as float64.

    Args:
      path: the file, whose first row has the names of the columns.
      names: the columns to read.
      separator: what is between two columns.
      categories: the texts of columns that hold text, in the order of the numbers that they become, from 0 on.
      asked: those of the names that were asked for, which another name that is missing cannot have meant.

    Raises:
      ConfigurationError: A column is missing, or a value is missing, not finite, or no number. The message says in
        which row; the first one below the names is row 1.
    """
    known, mistakes = read_names(path, separator=separator), Mistakes()
    for name in names:
        if name not in known:
            hint = expected(name, known, used=asked)
            mistakes.messages.append(f"{shown_path(path)} has no column {name!r}; {hint}")
    mistakes.raise_any()
    texts = {name: str for name in names if name in (categories or {})}
    # All columns: of some, pandas does not see that a row has too many values, and a decimal comma would shift them.
    frame = _read(path, sep=separator, dtype=texts, keep_default_na=False, na_values=[""])
    columns = {}
    if len(known) == 1:
        with mistakes.gathered(f"{shown_path(path)}"):
            _refuse_empty_lines(path, known[0], separator)
        mistakes.raise_any()
    for name in dict.fromkeys(names):
        with mistakes.gathered(f"{shown_path(path)}"):
            columns[name] = _numbers(frame[name], (categories or {}).get(name))
    mistakes.raise_any()
    return columns


def read_texts(path: pathlib.Path, name: str, *, separator: str = ",") -> np.ndarray:
    """Returns a column of a file as text; raises ConfigurationError where it is missing, or a value of it is."""
    require_column(path, name, separator=separator)
    # All columns are read, as in `read_columns`, and the others only to see that they fit.
    column = _read(path, sep=separator, dtype={name: str}, keep_default_na=False, na_values=[""])[name]
    mistakes = Mistakes()
    with mistakes.gathered(shown_path(path)):
        _refuse_missing(column, column.isna())
    mistakes.raise_any()
    return column.to_numpy(object)


def stacked(columns: Mapping[str, np.ndarray], owner: str) -> np.ndarray:
    """Returns columns side by side as one float32 array `[rows, columns]`.

    Args:
      columns: the columns by their names, all of one length.
      owner: what asks for them, such as `CsvSource.inputs`, for messages.

    Raises:
      ConfigurationError: float32 cannot hold a whole number exactly.

    >>> stacked({"a": np.array([1, 2]), "b": np.array([0.5, 1.5])}, "CsvSource.inputs")
    array([[1. , 0.5],
           [2. , 1.5]], dtype=float32)
    """
    for name, column in columns.items():
        if column.dtype.kind == "i" and len(column) and max(abs(int(column.min())), abs(int(column.max()))) > _EXACT:
            largest = max(int(column.min()), int(column.max()), key=abs)  # NumPy has no positive -2**63
            raise ConfigurationError(
                f"{owner}: the column {name!r} holds {largest:,}, which float32 may not hold exactly; expected whole "
                f"numbers up to {_EXACT:,} in a list of columns, or the column by itself, whose numbers stay whole"
            )
    return np.stack([column.astype(np.float32) for column in columns.values()], axis=1)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read(path: pathlib.Path, **settings: Any) -> Any:
    """Reads a file with pandas, which would drop columns without a word where rows are longer than the first."""
    pandas = require_package("pandas", "CSV files")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            return pandas.read_csv(path, index_col=False, float_precision="round_trip", low_memory=False, **settings)
    except pandas.errors.EmptyDataError as error:
        raise ConfigurationError(
            f"{shown_path(path)} is empty; expected a first row with the names of columns"
        ) from error
    except pandas.errors.ParserWarning as error:
        raise ConfigurationError(
            f"{shown_path(path)} has rows with more values than its first row has names"
        ) from error
    except (ValueError, OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise ConfigurationError(f"{shown_path(path)} cannot be read: {str(error).strip()}") from error


def _numbers(column: Any, categories: Sequence[str] | None) -> np.ndarray:
    """Returns the numbers of a column of pandas."""
    _refuse_missing(column, column.isna())
    if categories is not None:
        return _coded(column, categories)
    if column.dtype.kind not in "iufb":
        _refuse_text(column)
    values = column.to_numpy()
    if values.dtype.kind == "f":
        _refuse(column, ~np.isfinite(values), str, "expected a finite number")
        with np.errstate(over="ignore"):
            _refuse(column, np.isinf(values.astype(np.float32)), str, BEYOND_SINGLE)
    if values.dtype.kind == "u":
        _refuse(column, values > np.iinfo(np.int64).max, str, "expected whole numbers below 2**63")
    return values.astype(np.int64) if values.dtype.kind in "iu" else values


def _refuse_empty_lines(path: pathlib.Path, name: str, separator: str) -> None:
    """Raises ConfigurationError for an empty line between the values of a file of one column, which pandas skips."""
    settings = {"header": None, "names": [name], "sep": separator, "dtype": str, "keep_default_na": False}
    lines = _read(path, **settings, skip_blank_lines=False)[name].fillna("")
    is_empty = (lines.str.strip() == "").to_numpy()
    names, *values = np.flatnonzero(~is_empty)  # the names were read, so that there is one line that is not empty
    within = slice(names + 1, values[-1] if values else names + 1)
    _refuse_missing(lines.iloc[within], is_empty[within])


def _refuse_missing(column: Any, is_missing: Any) -> None:
    _refuse(column, is_missing, lambda _: "missing", "expected a value in each row")


def _coded(column: Any, categories: Sequence[str]) -> np.ndarray:
    codes = {text: code for code, text in enumerate(categories)}
    if len(codes) != len(categories):
        raise ConfigurationError(f"the categories of {column.name!r} are {[*categories]}; expected each text once")
    found = column.map(codes.get)
    unknown = [text for text in column.unique() if text not in codes]
    _refuse(column, found.isna(), repr, expected(unknown[0], codes, in_order=True) if unknown else "")
    return found.to_numpy().astype(np.int64)


def _refuse_text(column: Any) -> None:
    """Raises ConfigurationError for a column that holds text: all of it is, or single values are."""
    pandas = require_package("pandas", "CSV files")
    is_text = pandas.to_numeric(column, errors="coerce").isna()
    if not is_text.any():  # whole numbers beyond 64 bits
        _refuse(column, ~is_text, str, "expected numbers of at most 64 bits")
    if is_text.all():
        texts = sorted(map(str, column.unique()))
        listed = f"{texts}" if len(texts) <= _SHOWN else "[...]"
        categories = f"CsvSource.categories = {{{column.name!r}: {listed}}}"
        advice = f"expected numbers, or texts in the order of the numbers that they become: {categories}"
        _refuse(column, is_text, repr, advice)
    _refuse(column, is_text, repr, "expected a number")


def _refuse(column: Any, wrong: Any, shown: Callable[[Any], str], advice: str) -> None:
    """Raises ConfigurationError for the first row of a column that is wrong, if one is."""
    wrong = np.asarray(wrong)
    if not wrong.any():
        return
    row, count = int(wrong.argmax()), int(wrong.sum())
    others = f" (and {count - 1:,} more such row{'s' * (count > 2)})" if count > 1 else ""
    found = f"row {row + 1:,}, column {column.name!r} is {shown(column.iloc[row])}{others}"
    raise ConfigurationError(f"{found}; {advice}")
