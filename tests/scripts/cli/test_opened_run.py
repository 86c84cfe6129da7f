"""Opened run: what its source recorded of files wins over its bindings, and --gin_param over both."""

import json

import pytest

from termwise.cli import opened_run
from trainer import load_run


@pytest.fixture
def run(tmp_path):
    (tmp_path / "config.gin").write_text("CsvSource.inputs = %columns\nCsvSource.targets = 'y'\n")
    data = {"examples": "3", "csv inputs": json.dumps(["b", "a"]), "csv separator": json.dumps(",")}
    (tmp_path / "settings.json").write_text(json.dumps({"training data": data}))
    return load_run(tmp_path)


@pytest.mark.parametrize(("given", "separator"), [([], ","), (["CsvSource.separator = ';'"], ";")])
def test_files_are_read_as_the_run_recorded_or_as_is_asked_for(run, monkeypatch, given, separator):
    monkeypatch.setattr(opened_run, "FLAGS", type("Flags", (), {"gin_param": given}))
    expected = {"CsvSource.inputs": ["b", "a"], "CsvSource.targets": "y", "CsvSource.separator": separator}
    assert opened_run.reading_of(run) == expected
