"""Modules of a saved run: found where they were, in the working directory, or told."""

import sys

import pytest

from objectives import ConfigurationError
from trainer.saved.modules import import_modules


@pytest.fixture(autouse=True)
def _paths_and_modules_are_put_back(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_the_folder_of_the_run_goes_before_the_working_directory(tmp_path, monkeypatch):
    for name in ("run", "here"):
        (tmp_path / name / "saved_parts").mkdir(parents=True)
        (tmp_path / name / "saved_parts" / "__init__.py").write_text(f"NAME = {name!r}")
    monkeypatch.chdir(tmp_path / "here")
    assert import_modules({"saved_parts": str(tmp_path / "run"), "json": None}) == [tmp_path / "run"]
    assert sys.modules["saved_parts"].NAME == "run"


def test_a_folder_that_is_gone_leaves_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "saved_part.py").write_text("LOADED = True")
    monkeypatch.chdir(tmp_path)
    assert import_modules({"saved_part": str(tmp_path / "gone")}) == []
    assert sys.modules["saved_part"].LOADED


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (None, "the run used the module 'saved_bad', which was in .*/gone and is not there now; expected it in the"),
        ("import saved_not_there", "saved_bad.py, line 1: ModuleNotFoundError: No module named 'saved_not_there'"),
        ("raise OSError('no data')", "saved_bad.py, line 1: OSError: no data"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told(tmp_path, monkeypatch, code, said):
    if code:
        (tmp_path / "saved_bad.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=said):
        import_modules({"saved_bad": str(tmp_path / "gone")})
