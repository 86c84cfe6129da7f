"""The run log: lines with dates, appended; an error names the file."""

import pytest

from trainer.reports.terminal.run_log import RunLog, exit_logged
from trainer.storage.files import StorageError


def test_lines_are_appended_to_a_folder_that_is_made(tmp_path):
    folder = tmp_path / "a" / "run"
    RunLog(folder).add(["one", "two"])
    RunLog(folder).add(["three", ""])
    assert [line[20:] for line in (folder / "run.log").read_text().splitlines()] == ["one", "two", "three", ""]


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    RunLog(None).add(["one"])
    assert not [*tmp_path.iterdir()]


def test_what_cannot_be_written_is_named(tmp_path):
    (tmp_path / "run.log").mkdir()
    with pytest.raises(StorageError, match=r"run\.log cannot be written: Is a directory"):
        RunLog(tmp_path).add(["one"])


def test_what_ended_a_run_is_added_to_its_log(tmp_path):
    RunLog(tmp_path).add(["one"])
    with pytest.raises(SystemExit), exit_logged(tmp_path):
        raise SystemExit("stopped\nin two lines")
    with exit_logged(tmp_path):
        pass
    lines = [line[20:] for line in (tmp_path / "run.log").read_text().splitlines()]
    assert lines == ["one", "SystemExit: stopped", "in two lines"]


def test_no_log_is_begun_by_an_error(tmp_path):
    with pytest.raises(ValueError, match="wrong"), exit_logged(tmp_path):
        raise ValueError("wrong")
    with pytest.raises(ValueError, match="wrong"), exit_logged(None):
        raise ValueError("wrong")
    assert not [*tmp_path.iterdir()]
