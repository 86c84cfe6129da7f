"""A report of one's own: a table that has each step once, whenever its run was killed."""

import csv
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from csv_report import CsvReport

from trainer.reports import Run
from trainer.reports.log import LogRecord, LogRecords

SCRIPTS = pathlib.Path(__file__).parents[2] / "scripts"
LIMIT = 120.0


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
def test_a_killed_run_resumes_to_the_same_table(tmp_path):
    shutil.copy(SCRIPTS.parent / "examples" / "csv_report.py", tmp_path)
    (tmp_path / "own.gin").write_text("import csv_report\nTrainer.reports = [@CsvReport()]\n")

    def start(name):
        command = [
            *(sys.executable, str(SCRIPTS / "train.py"), f"--gin_file={SCRIPTS / 'verification' / 'chaos.gin'}"),
            *("--gin_file=own.gin", f"--workdir={tmp_path / name}", f"--gin_param=CsvReport.path = '{name}.csv'"),
            *("--gin_param=Trainer.steps = 120", "--gin_param=Trainer.chunk_steps = 1"),
        ]
        with (tmp_path / f"{name}.txt").open("a") as said:
            return subprocess.Popen(command, cwd=tmp_path, stdout=said, stderr=said)

    assert start("whole").wait(LIMIT) == 0, (tmp_path / "whole.txt").read_text()
    killed, began = start("killed"), time.monotonic()
    while not any((tmp_path / "killed" / "checkpoints").glob("[0-9]*")):
        assert killed.poll() is None, (tmp_path / "killed.txt").read_text()
        assert time.monotonic() - began < LIMIT
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert start("killed").wait(LIMIT) == 0, (tmp_path / "killed.txt").read_text()
    assert "resuming at step" in (tmp_path / "killed.txt").read_text()
    assert rows(tmp_path / "killed.csv") == rows(tmp_path / "whole.csv")
