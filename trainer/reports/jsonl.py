"""The `metrics.jsonl` report: one line a logged step, the same tags as TensorBoard."""

import json
import pathlib
from typing import IO

from trainer.log import Line
from trainer.reports.report import Report, Run

NAME = "metrics.jsonl"


class JsonLines(Report):
    """Writes `{"split": "train", "step": 20, "loss/total": 1.25, ...}`, one object a line."""

    def __init__(self, folder: pathlib.Path):
        self._path = folder / NAME
        self._file: IO[str] | None = None

    def start(self, run: Run) -> None:
        _keep_until(self._path, run.first_step)
        self._file = self._path.open("a")

    def write(self, line: Line) -> None:
        assert self._file is not None
        self._file.write(json.dumps({"split": line.split, "step": line.step, **line.values}) + "\n")

    def flush(self) -> None:
        if self._file:
            self._file.flush()

    def close(self) -> None:
        if self._file:
            self._file.close()


def read(folder: pathlib.Path) -> list[Line]:
    """The lines that a run has written so far."""
    records = [json.loads(text) for text in _whole_lines(folder / NAME)]
    return [Line(record.pop("split"), record.pop("step"), record) for record in records]


def _keep_until(path: pathlib.Path, step: int) -> None:
    """Drops lines of later steps, which a run that went on past its last checkpoint will write again."""
    kept = [text for text in _whole_lines(path) if json.loads(text)["step"] <= step]
    # Replaced at once: a run may be killed here too, and what it logged must outlive it.
    copy = path.with_suffix(".kept")
    copy.write_text("".join(kept))
    copy.replace(path)


def _whole_lines(path: pathlib.Path) -> list[str]:
    """The lines of the file, each with its end; a run that was killed while it wrote leaves a last one without."""
    if not path.exists():
        return []
    return [text for text in path.read_text().splitlines(keepends=True) if text.endswith("\n")]
