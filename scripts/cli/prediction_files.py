"""Prediction files: the kinds of files that receive the outputs of a model, one batch after the other."""

import abc
import csv
import pathlib
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import numpy as np
from numpy.lib.format import dtype_to_descr, write_array_header_2_0

from objectives import ConfigurationError
from trainer.storage.files import writing


class Predictions(abc.ABC):
    """Receives the outputs of one batch after the other."""

    def __init__(self, path: pathlib.Path, size: int, names: Sequence[str]):
        """Stores where to write.

        Args:
          path: the unfinished file or folder.
          size: the number of examples in all.
          names: the file of each example, if they are images; they are written beside the outputs where there is room.
        """
        self._path, self._size, self._names, self._done = path, size, names, 0

    def write(self, outputs: Mapping[str, np.ndarray]) -> None:
        """Writes the outputs of the next examples, `[examples, ...]`, by name."""
        count = len(next(iter(outputs.values())))
        with writing(self._path):
            self._write(outputs, self._done, self._done + count)
        self._done += count

    @abc.abstractmethod
    def finish(self) -> None:
        """Completes the files."""

    @abc.abstractmethod
    def _write(self, outputs: Mapping[str, np.ndarray], start: int, stop: int) -> None: ...


class ArrayFiles(Predictions):
    """A folder with an `.npy` file for each output."""

    def __init__(self, path: pathlib.Path, size: int, names: Sequence[str]):
        super().__init__(path, size, names)
        self._open: dict[str, tuple[BinaryIO, tuple[int, ...]]] = {}
        path.mkdir()

    @property
    def _files(self) -> list[pathlib.Path]:
        return [self._file(name) for name in self._open]

    def _file(self, name: str) -> pathlib.Path:
        return self._path / f"{name.replace('/', '_')}.npy"

    def _write(self, outputs: Mapping[str, np.ndarray], start: int, stop: int) -> None:
        for name, values in outputs.items():
            if name not in self._open:
                self._open[name] = self._file(name).open("xb"), values.shape[1:]
                shape = (self._size, *values.shape[1:])
                header = {"descr": dtype_to_descr(values.dtype), "fortran_order": False, "shape": shape}
                write_array_header_2_0(self._open[name][0], header)
            file, shape = self._open[name]
            if shape != values.shape[1:]:
                raise ConfigurationError(
                    f"the output {name!r} has the shape {list(values.shape[1:])} for some examples and {list(shape)} "
                    f"for others, which is no array; expected inputs of one shape"
                )
            file.write(np.ascontiguousarray(values).data)

    def finish(self) -> None:
        for file, _ in self._open.values():
            file.close()
        if self._names:
            np.save(self._path / "files.npy", np.array(self._names))


class OneArray(ArrayFiles):
    """The array of the only output."""

    def finish(self) -> None:
        super().finish()
        (file,) = self._files
        _replaced(self._path, file)


class Archive(ArrayFiles):
    """An archive of the arrays of all outputs."""

    def finish(self) -> None:
        super().finish()
        packed = self._path / "packed"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(self._path.glob("*.npy")):
                archive.write(file, file.name)
        _replaced(self._path, packed)


class Table(Predictions):
    """A CSV file with a row for each example, below the names of columns."""

    def __init__(self, path: pathlib.Path, size: int, names: Sequence[str]):
        super().__init__(path, size, names)
        self._file = path.open("w", newline="", encoding="utf-8")
        self._rows = csv.writer(self._file, lineterminator="\n")

    def _write(self, outputs: Mapping[str, np.ndarray], start: int, stop: int) -> None:
        if not start:
            self._rows.writerow([*(["file"] if self._names else []), *_header(outputs)])
        columns = [values.reshape(stop - start, -1).astype(str) for values in outputs.values()]
        names = np.array(self._names[start:stop], str).reshape(stop - start, -1)
        self._rows.writerows(np.hstack([names, *columns]))

    def finish(self) -> None:
        self._file.close()


def _header(outputs: Mapping[str, np.ndarray]) -> list[str]:
    """Returns the names of columns: of an output of several numbers with their places.

    >>> _header({"cost": np.zeros([5, 1]), "place": np.zeros([5, 2])})
    ['cost', 'place_0', 'place_1']
    """
    widths = {name: int(np.prod(values.shape[1:])) for name, values in outputs.items()}
    return [f"{name}_{i}" if width > 1 else name for name, width in widths.items() for i in range(width)]


def _replaced(folder: pathlib.Path, inside: pathlib.Path) -> None:
    """Puts a file in the place of the folder that it is in."""
    beside = folder.with_name(f"{folder.name}.file")
    inside.replace(beside)
    shutil.rmtree(folder)
    beside.replace(folder)
