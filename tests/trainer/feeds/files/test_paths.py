"""Paths: files by name and by pattern; what is not there is refused with the folder that was looked in."""

import pytest

from objectives import ConfigurationError
from trainer.feeds.files.paths import find_files, find_folder


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """A folder with two files, as the working directory."""
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_pattern_stands_for_its_files_in_the_order_of_their_names(parts):
    assert [path.name for path in find_files("*.csv", "S.file")] == ["a.csv", "b.csv"]
    assert [path.name for path in find_files(["c.txt", "*.csv"], "S.file")] == ["c.txt", "a.csv", "b.csv"]


def test_a_file_whose_name_looks_like_a_pattern_is_found(parts):
    (parts / "x[1].csv").touch()
    assert [path.name for path in find_files("x[1].csv", "S.file")] == ["x[1].csv"]


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        ("no.csv", r"S.file is 'no.csv'; there is no such file in .*, from where the run was started"),
        ("/no/such.csv", "S.file is '/no/such.csv'; there is no such file$"),
        ("bb.csv", r"there is no such file in .*; did you mean 'b.csv'\?"),
        ("*.png", "there is no such file"),
        ([], "S.file names no file"),
        (["a.csv", "*.csv"], "S.file names a.csv twice"),
    ],
)
def test_what_is_not_there_is_refused(parts, names, answer):
    with pytest.raises(ConfigurationError, match=answer):
        find_files(names, "S.file")


def test_a_folder_is_no_file(parts):
    assert find_folder(".", "S.folder").samefile(parts)
    with pytest.raises(ConfigurationError, match="this is no folder"):
        find_folder("a.csv", "S.folder")
