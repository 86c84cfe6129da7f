"""The `metrics.jsonl` report: one line a logged step, the same tags as TensorBoard."""

import bisect
import dataclasses
import functools
import json
import math
import os
import pathlib
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from objectives import ConfigurationError
from trainer.reports.log import LogRecord, LogRecords
from trainer.reports.report import Report, Run
from trainer.storage.files import writing
from trainer.storage.strict_json import numbers

NAME = "metrics.jsonl"


class JsonLines(Report):
    """Writes a JSON object for each record: `{"split": "train", "step": 20, "loss/total": 1.25, ...}`.

    Values are float32, as in training and in TensorBoard; nine digits represent them exactly. A value that is not
    finite is null. A value that a record does not have is left out.
    """

    def __init__(self, folder: pathlib.Path):
        self._path = folder / NAME
        self._file: BinaryIO | None = None

    def start(self, run: Run) -> None:
        with writing(self._path):
            self._file = _open_after(self._path, run.first_step)

    def write(self, lines: LogRecords) -> None:
        assert self._file is not None
        with writing(self._path):
            self._file.write(_text(lines).encode())

    def flush(self) -> None:
        if self._file:
            with writing(self._path):
                self._file.flush()
                os.fsync(self._file.fileno())

    def close(self) -> None:
        if self._file:
            with writing(self._path):
                self._file.close()


def read(folder: pathlib.Path) -> list[LogRecord]:
    """Returns the records that a run has written so far; a value that was not finite is nan.

    Raises:
      ConfigurationError: the file was altered.
    """
    path = folder / NAME
    return [_parsed(path, number, line) for number, line in enumerate(_whole_lines(path), start=1)]


def _parsed(path: pathlib.Path, number: int, line: bytes) -> LogRecord:
    try:
        # Whole numbers are values too; only a step is counted.
        record = json.loads(line, parse_int=float)
        return LogRecord(str(record.pop("split")), int(record.pop("step")), numbers(record))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"line {number:,} of {path} is not a log record ({type(error).__name__}: {error}); restore the file from a "
            f"copy, remove that line, or move the file away: the run itself does not need it"
        ) from error


def _text(records: LogRecords) -> str:
    """Returns a line for each record."""
    # With json.dumps a small run that logs each step would take 1.06 to 1.12 of its time.
    records = dataclasses.replace(records, values=records.values.astype(np.float32))
    is_plain = (np.isfinite(records.values) & (True if records.present is None else records.present)).all(axis=1)
    line = _format(records.split, records.tags)
    rows = zip(is_plain.tolist(), records.steps.tolist(), records.values.tolist(), strict=True)
    return "".join(
        line % (step, *values) if plain else _line(records[i : i + 1].last)
        for i, (plain, step, values) in enumerate(rows)
    )


def _line(record: LogRecord) -> str:
    """Returns the line of a record that lacks values, or has some that are not finite, in the digits of `_format`."""
    texts = {tag: f"{value:.9g}" if math.isfinite(value) else "null" for tag, value in record.values.items()}
    return _object(record.split, str(record.step), texts)


@functools.lru_cache(maxsize=64)
def _format(split: str, tags: tuple[str, ...]) -> str:
    """Returns the format of a line with a step and finite numbers, for the operator `%`."""
    return _object(split.replace("%", "%%"), "%d", {tag.replace("%", "%%"): "%.9g" for tag in tags})


def _object(split: str, step: str, values: Mapping[str, str]) -> str:
    fields = {"split": json.dumps(split), "step": step, **values}
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in fields.items()) + "}\n"


def _open_after(path: pathlib.Path, step: int) -> BinaryIO:
    """Opens the file to append; drops lines of later steps, which a run that died past its checkpoint writes again."""
    lines = _whole_lines(path)
    numbers = range(len(lines))
    later = bisect.bisect_right(numbers, step, key=lambda i: _parsed(path, i + 1, lines[i]).step)
    kept = lines[:later]
    file = path.open("ab")
    file.truncate(sum(map(len, kept)))
    return file


def _whole_lines(path: pathlib.Path) -> list[bytes]:
    """Returns the lines of the file with their ends; the last one has none if a run was killed while it wrote."""
    if not path.exists():
        return []
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
