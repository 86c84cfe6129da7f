"""A report of one's own: a table of the weighted terms as CSV, which has each step once after a kill and a resume.

    trainer = Trainer(..., reports=[CsvReport("rows.csv")])

or, in a gin file that begins with `import csv_report`, `Trainer.reports = [@CsvReport()]` and
`CsvReport.path = 'rows.csv'`.
"""

import csv
import os
import pathlib
from typing import TextIO

import gin

from trainer.reports import Report, Run
from trainer.reports.log import LogRecords


@gin.register
class CsvReport(Report):
    """Writes a row for each record of training: the step, and the weighted value of each term."""

    def __init__(self, path: str):
        self._path = pathlib.Path(path)
        self._file: TextIO | None = None

    def start(self, run: Run) -> None:
        """Keeps the rows that a resumed run does not write again."""
        kept = []
        if run.first_step and self._path.exists():
            # A killed process may have written rows after the latest checkpoint, the last of them in part.
            lines = self._path.read_text().splitlines(keepends=True)[1:]
            kept = [line for line in lines if line.endswith("\n") and int(line.split(",")[0]) <= run.first_step]
        self._file = file = self._path.open("w", newline="\n")
        self._rows = csv.writer(file, lineterminator="\n")
        self._rows.writerow(["step", *run.terms])
        file.writelines(kept)
        self._terms = run.terms
        self.flush()

    def write(self, records: LogRecords) -> None:
        for record in records:
            if record.split == "train":
                self._rows.writerow([record.step, *(record.values[f"terms/{name}/weighted"] for name in self._terms)])

    def flush(self) -> None:
        """Puts the rows on the disk before a checkpoint says that they are there."""
        if self._file:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        if self._file:
            self._file.close()
