"""Storage: files and folders that are on disk whole or not at all, and what is said where the disk refuses them."""

import contextlib
import os
import pathlib
import shutil
from collections.abc import Iterator
from typing import BinaryIO

import tensorflow as tf

# The name of a folder that is about to be removed, which no reader takes for the folder itself.
_DELETING = ".deleting-"


class StorageError(Exception):
    """The disk cannot store what a run has to save; the message names the file and the error."""


@contextlib.contextmanager
def writing(path: pathlib.Path) -> Iterator[None]:
    """Turns an error of the system or of TensorFlow into a StorageError that names the file, by default `path`.

    >>> with writing(pathlib.Path("runs/x")):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
    trainer.storage.files.StorageError: runs/x cannot be written: No space left on device
    """
    try:
        yield
    except OSError as error:
        raise StorageError(f"{error.filename or path} cannot be written: {error.strerror or error}") from error
    except tf.errors.OpError as error:
        # Its first line is "path; reason".
        reason = error.message.splitlines()[0].rpartition("; ")[2]
        raise StorageError(f"{path} cannot be written: {reason}") from error


@contextlib.contextmanager
def whole(path: pathlib.Path) -> Iterator[BinaryIO]:
    """Opens a file of which a reader sees all or nothing; that it gets its name is the last thing that happens.

    Raises:
      StorageError: the system refuses it; what was there before is there still.
    """
    with writing(path):
        new = path.with_name(f".writing-{path.name}")
        with create(new) as file:
            yield file
        flush(new)
        os.replace(new, path)


def write_whole(path: pathlib.Path, text: str) -> None:
    """Writes such a file, which would survive a loss of power right afterwards.

    Raises:
      StorageError: as in `whole`.
    """
    with writing(path):
        with whole(path) as file:
            file.write(text.encode())
        flush(path.parent)


@contextlib.contextmanager
def unfinished(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a place beside a path, for a file or a folder that gets its name once the context closes without an error.

    An empty folder of that name gives way to a folder, and not to a file.

    Raises:
      StorageError: the system refuses it; what was there before is there still.
    """
    place = path.with_name(f".writing-{path.name}")
    with writing(path):
        discard(place)
    try:
        yield place
        with writing(path):
            if place.is_dir() and path.is_dir():
                path.rmdir()
            move(place, path)
    finally:
        discard(place)


def create(path: pathlib.Path) -> BinaryIO:
    """Opens a new file in place of any that a killed process left; a link of that name is removed, not followed."""
    path.unlink(missing_ok=True)
    return path.open("xb")


def flush(path: pathlib.Path) -> None:
    """Returns once a file, or the list of names in a folder, would survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move(source: pathlib.Path, target: pathlib.Path) -> None:
    """Gives a flushed file or folder another name in the same folder, at one instant and for good."""
    os.replace(source, target)
    flush(target.parent)


def remove(folder: pathlib.Path) -> None:
    """Removes a folder; if it is interrupted, `remove_leftovers` removes the rest, which nothing else reads."""
    hidden = folder.with_name(f"{_DELETING}{folder.name.lstrip('.')}")
    shutil.rmtree(hidden, ignore_errors=True)
    move(folder, hidden)
    shutil.rmtree(hidden)


def discard(path: pathlib.Path) -> None:
    """Removes a file or folder that nothing reads, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(folder: pathlib.Path) -> None:
    """Removes the hidden folders in a folder that killed processes left, and links and files of such names."""
    for leftover in folder.glob(".*-*"):
        discard(leftover)
