"""Recorded reading: what its source recorded of files wins over its bindings, and --gin_param over both."""

import json

import pytest

from termwise.cli.recorded_reading import reading_of
from trainer import load_run


@pytest.fixture
def run(tmp_path):
    (tmp_path / "config.gin").write_text("CsvSource.inputs = %columns\nCsvSource.targets = 'y'\n")
    data = {"examples": "3", "csv inputs": json.dumps(["b", "a"]), "csv separator": json.dumps(",")}
    (tmp_path / "settings.json").write_text(json.dumps({"training data": data}))
    return load_run(tmp_path)


@pytest.mark.parametrize(("given", "separator"), [([], ","), (["CsvSource.separator = ';'"], ";")])
def test_files_are_read_as_the_run_recorded_or_as_is_asked_for(run, given, separator):
    expected = {"CsvSource.inputs": ["b", "a"], "CsvSource.targets": "y", "CsvSource.separator": separator}
    assert reading_of(run, given) == expected
