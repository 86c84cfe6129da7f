"""A report of one's own: a table that has each step once, whenever its run was killed."""

import csv

import numpy as np
import pytest
from csv_report import CsvReport

from trainer.reports import Run
from trainer.reports.log import LogRecord, LogRecords


def rows(path):
    with path.open() as file:
        return list(csv.reader(file))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows.csv"


@pytest.fixture
def report(path):
    """A report that was started at a step."""

    def start(step):
        started = CsvReport(str(path))
        started.start(Run(terms=("data",), steps=9, first_step=step))
        return started

    return start


def records(*steps, split="train"):
    return LogRecords(split, np.array(steps), ("terms/data/weighted",), np.array([[0.5 * step] for step in steps]))


def test_a_row_a_record_of_training(report, path):
    mine = report(0)
    mine.write(records(1, 2))
    mine.write(LogRecords.of(LogRecord("eval", 2, {"loss/total": 1.0})))
    mine.close()
    assert rows(path) == [["step", "data"], ["1", "0.5"], ["2", "1.0"]]


def test_a_resumed_run_writes_each_step_once(report, path):
    killed = report(0)
    killed.write(records(1, 2, 3))
    killed.flush()
    with path.open("a") as file:
        file.write("4,2")
    resumed = report(2)
    resumed.write(records(3, 4))
    resumed.close()
    assert [row[0] for row in rows(path)] == ["step", "1", "2", "3", "4"]


def test_a_new_run_begins_a_new_table(report, path):
    for _ in range(2):
        mine = report(0)
        mine.write(records(1))
        mine.close()
    assert rows(path) == [["step", "data"], ["1", "0.5"]]


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_table(train_whole_and_killed):
    folder = train_whole_and_killed(
        "csv_report", "Trainer.reports = [@CsvReport()]", lambda name: [f"--gin_param=CsvReport.path = '{name}.csv'"]
    )
    assert rows(folder / "killed.csv") == rows(folder / "whole.csv")
