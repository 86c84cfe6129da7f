"""Run log: what a run said, and why it was run as it was, with dates, in a file of its folder."""

import contextlib
import datetime
import pathlib
from collections.abc import Iterable, Iterator

from trainer.storage.files import StorageError, writing

NAME = "run.log"


class RunLog:
    """Appends lines to `run.log` in the folder of a run, each with the date and the time; of all processes of the run.

    Without a folder nothing is written.
    """

    def __init__(self, folder: pathlib.Path | None):
        self._path = folder / NAME if folder else None

    def add(self, lines: Iterable[str]) -> None:
        """Appends lines, which are in the file when this returns.

        Raises:
          StorageError: The file cannot be written.
        """
        if self._path is None:
            return
        now = f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S}"
        with writing(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(f"{now} {line}".rstrip() + "\n" for line in lines)


@contextlib.contextmanager
def exit_logged(folder: pathlib.Path | None) -> Iterator[None]:
    """Adds the error or the signal that ends the context to the run log of a folder, if it has one."""
    try:
        yield
    except BaseException as error:
        if folder is not None and (folder / NAME).is_file():
            # That it cannot be written matters less than what ended the run.
            with contextlib.suppress(StorageError):
                RunLog(folder).add(f"{type(error).__name__}: {error}".splitlines())
        raise
