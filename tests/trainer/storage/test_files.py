"""Storage: a file is there whole or as before, a folder is gone or there, and refusals name the file."""

import contextlib
import os
import pathlib

import pytest
import tensorflow as tf

from trainer.storage import files


def test_a_file_is_written_and_nothing_else_is_left(tmp_path):
    files.write_whole(tmp_path / "a.json", "1")
    files.write_whole(tmp_path / "a.json", "2")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.json": "2"}


@pytest.mark.parametrize("fails", [False, True])
def test_an_unfinished_folder_takes_the_place_of_an_empty_one_or_leaves_it(tmp_path, fails):
    (tmp_path / "a").mkdir()
    with pytest.raises(KeyError) if fails else contextlib.nullcontext(), files.unfinished(tmp_path / "a") as place:
        place.mkdir()
        (place / "array").write_text("1")
        if fails:
            raise KeyError
    assert [path.name for path in tmp_path.rglob("*")] == (["a"] if fails else ["a", "array"])


@pytest.mark.parametrize("has", [[], ["other"]])
def test_a_folder_does_not_give_way_to_an_unfinished_file(tmp_path, has):
    (tmp_path / "a").mkdir()
    for name in has:
        (tmp_path / "a" / name).touch()
    with (
        pytest.raises(files.StorageError, match="a cannot be written: Is a directory"),
        files.unfinished(tmp_path / "a") as place,
    ):
        place.write_text("1")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", *has]


def test_a_link_of_the_temporary_name_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / ".writing-a").symlink_to(tmp_path / "precious")
    files.write_whole(tmp_path / "a", "written")
    assert (tmp_path / "precious").read_text() == "kept"
    assert (tmp_path / "a").read_text() == "written"
    assert not (tmp_path / "a").is_symlink()


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_file_that_cannot_be_replaced_stays(tmp_path, monkeypatch, fails):
    files.write_whole(tmp_path / "a", "before")

    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, fails, refuse)
    with pytest.raises(files.StorageError, match=r"a cannot be written: No space left on device$"):
        files.write_whole(tmp_path / "a", "after")
    assert (tmp_path / "a").read_text() == "before"


def test_the_file_that_the_system_names_is_named(tmp_path):
    with (
        pytest.raises(files.StorageError, match=r"missing/file cannot be written: No such file or directory$"),
        files.writing(tmp_path),
    ):
        (tmp_path / "missing" / "file").write_text("1")


def test_a_full_device_is_reported(tmp_path):
    (tmp_path / "full").symlink_to("/dev/full")
    with (
        pytest.raises(files.StorageError, match="full cannot be written: No space left on device$"),
        files.writing(tmp_path / "full"),
    ):
        (tmp_path / "full").write_text("1")


def test_what_tensorflow_cannot_write_is_told_likewise(tmp_path):
    path = tmp_path / "missing" / "file"
    with (
        pytest.raises(files.StorageError, match=f"^{path} cannot be written: No such file or directory$"),
        files.writing(path),
    ):
        tf.io.TFRecordWriter(str(path))


def test_other_errors_stay_what_they_are():
    with pytest.raises(KeyError), files.writing(pathlib.Path("a")):
        raise KeyError("a")


def test_a_folder_is_removed_with_what_is_in_it(tmp_path):
    (tmp_path / "old" / "deep").mkdir(parents=True)
    (tmp_path / "old" / "deep" / "file").write_text("1")
    files.remove(tmp_path / "old")
    assert list(tmp_path.iterdir()) == []


def test_leftovers_that_are_links_are_removed_and_what_they_point_at_is_not(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".saving-000010").symlink_to(tmp_path / "precious")
    (tmp_path / "run" / ".saving-000020").write_text("a file")
    files.remove_leftovers(tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == []
    assert (tmp_path / "precious").is_dir()


def test_what_a_killed_removal_leaves_is_hidden_and_removed_later(tmp_path, monkeypatch):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").write_text("1")

    class Killed(BaseException):
        pass

    def die(*arguments, **settings):
        if not settings:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(files.shutil, "rmtree", die)
        with pytest.raises(Killed):
            files.remove(tmp_path / "old")
    assert [path.name for path in tmp_path.iterdir()] == [".deleting-old"]
    files.remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []
