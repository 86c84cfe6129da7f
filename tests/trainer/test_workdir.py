"""Workdirs: made where they can be, refused where they cannot, and what is recorded in them."""

import json
import sys

import pytest

from objectives import ConfigurationError
from trainer.workdir import make_workdir, write_record


def test_a_new_folder_is_made_and_left_empty(tmp_path):
    folder = make_workdir(str(tmp_path / "runs" / "first"))
    assert folder == tmp_path / "runs" / "first"
    assert list(folder.iterdir()) == []


def test_what_a_folder_holds_stays(tmp_path):
    (tmp_path / "kept").write_text("kept")
    make_workdir(tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize("below", ["file", "file/run", "file/run/deeper"])
def test_a_path_at_or_below_a_file_is_refused(tmp_path, below):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ConfigurationError, match="cannot be written to: .*; expected a folder") as error:
        make_workdir(tmp_path / below)
    assert repr(str(tmp_path / below)) in str(error.value)
    assert (tmp_path / "file").read_text() == "no folder"


def test_the_record_says_what_was_asked_and_used_and_on_what(tmp_path):
    write_record(tmp_path, asked="A.b = 1", used="A.b = 1\nA.c = 2", settings={"A": {"b": "1"}})
    assert (tmp_path / "config.gin").read_text() == "A.b = 1"
    assert (tmp_path / "operative_config.gin").read_text() == "A.b = 1\nA.c = 2"
    assert json.loads((tmp_path / "settings.json").read_text()) == {"A": {"b": "1"}}
    environment = json.loads((tmp_path / "environment.json").read_text())
    assert environment["argv"] == sys.argv
    assert environment["packages"]["keras"].startswith("3.")
    assert "git_revision" in environment


def test_without_git_there_is_no_revision(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    write_record(tmp_path, asked="", used="", settings={})
    assert json.loads((tmp_path / "environment.json").read_text())["git_revision"] is None
