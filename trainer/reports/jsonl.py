"""The `metrics.jsonl` report: one line a logged step, the same tags as TensorBoard."""

import bisect
import functools
import json
import os
import pathlib
from collections.abc import Iterator
from typing import BinaryIO

import gin
import numpy as np

from objectives import ConfigurationError
from trainer.reports.decimals import WIDTH, decimals
from trainer.reports.log import LogRecord, LogRecords
from trainer.reports.report import Report, Run
from trainer.reports.rows import Field, filled, varies
from trainer.storage.files import writing
from trainer.storage.strict_json import numbers

NAME = "metrics.jsonl"


@gin.register(module="trainer.reports")
class JsonLines(Report):
    """Writes a JSON object for each record: `{"split": "train", "step": 20, "loss/total": 1.25000000e+00, ...}`.

    Values are float32, as in training and in TensorBoard; nine digits represent them exactly. A value that is not
    finite is null. A value that a record does not have is left out, with blanks in its place.

    The file is in `folder`, by default that of the run.
    """

    def __init__(self, folder: str | pathlib.Path | None = None):
        self._given = folder
        self._file: BinaryIO | None = None

    def start(self, run: Run) -> None:
        folder = run.folder(self._given, type(self).__name__)
        self._path = folder / NAME
        with writing(self._path):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = _open_after(self._path, run.first_step)

    def write(self, lines: LogRecords) -> None:
        assert self._file is not None
        with writing(self._path):
            for text in _text(lines):
                self._file.write(text.data)

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
    return [*records(folder)]


def records(folder: pathlib.Path) -> Iterator[LogRecord]:
    """Yields the same one by one, so that a long log takes little memory.

    Raises:
      ConfigurationError: the file was altered.
    """
    path = folder / NAME
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.endswith(b"\n"):  # which the last one is without if a run was killed while it wrote
                yield _parsed(path, number, line)


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


def _text(lines: LogRecords) -> Iterator[np.ndarray]:
    """Yields the lines in blocks, uint8 `[lines, length]`, each in the memory of the one before."""
    steps, values = _right_aligned(lines.steps), np.asarray(lines.values, np.float32)
    template, ends = _template(lines.split, lines.tags, steps.shape[1])
    first = template.copy()
    first[template == 0] = np.concatenate([steps[0], decimals(values[0]).ravel()])
    fields: list[Field] = [(slice(ends[0] - steps.shape[1], ends[0]), steps)]
    # Most weights and counts, and the learning rate, are the same for many steps.
    changing = np.flatnonzero(varies(values))
    for end, texts in zip(ends[changing + 1], decimals(values[:, changing].T), strict=True):
        fields.append((slice(end - WIDTH, end), texts))
    if lines.present is not None:
        for i in np.flatnonzero(~lines.present.all(axis=0)):
            field = np.tile(first[ends[i] : ends[i + 1]], [len(lines), 1])
            field[:, -WIDTH:] = decimals(values[:, i])
            field[~lines.present[:, i]] = ord(" ")
            fields.append((slice(ends[i], ends[i + 1]), field))
    return filled(first, fields, len(lines))


@functools.lru_cache(maxsize=64)
def _template(split: str, tags: tuple[str, ...], step_width: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the bytes of a line with zero bytes, which JSON does not have, in place of its numbers, and some places.

    These are where the step and the field of each tag end.
    """
    parts = [f'{{"split": {json.dumps(split)}, "step": {chr(0) * step_width}', *map(_field, tags)]
    text = "".join(parts) + "}\n"
    return np.frombuffer(text.encode(), np.uint8), np.cumsum([len(part) for part in parts])


def _field(tag: str) -> str:
    return f", {json.dumps(tag)}: {chr(0) * WIDTH}"


def _right_aligned(steps: np.ndarray) -> np.ndarray:
    """Whole numbers as text, uint8 `[steps, width]`, as wide as the largest."""
    quotients = steps[:, None] // 10 ** np.arange(len(str(steps.max())))[::-1]
    text = (quotients % 10 + ord("0")).astype(np.uint8)
    text[:, :-1][quotients[:, :-1] == 0] = ord(" ")
    return text


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
