"""NpzSource: examples in arrays that NumPy saved, as `.npz`, as `.npy`, or as a folder of `.npy` files."""

import dataclasses
import functools
import pathlib
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

import gin
import numpy as np

from objectives import ConfigurationError
from objectives.blame import shown_path
from trainer.feeds.files.names import Names, choose
from trainer.feeds.files.paths import find_files
from trainer.feeds.files.split_source import SplitSource
from trainer.feeds.sources import require_arrays
from trainer.feeds.table import ArrayTable, Table

_MAGIC = np.lib.format.MAGIC_PREFIX
# What NumPy raises for files that are damaged: it parses a header as Python.
_DAMAGE = (OSError, ValueError, EOFError, TypeError, SyntaxError, tokenize.TokenError)
# Archives of up to this size are read once at the start, which takes some seconds, and so many bytes at a time.
_CHECKED_BYTES, _BLOCK = 4 * 2**30, 2**20


@gin.register(module="trainer")
@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class NpzSource(SplitSource):
    """Examples in arrays `[examples, ...]` that NumPy saved.

    Files that `np.savez` or `np.save` wrote are mapped into memory: of large ones, batches are read from the disk
    shortly before they are needed. What `np.savez_compressed` wrote is read as a whole. The checksums of an `.npz` file
    are compared at the start if it has at most 4 GiB or is compressed; an `.npy` file has none.

    Attributes:
      file: an `.npz` file, an `.npy` file, or a folder of `.npy` files, whose names are those of the arrays.
      inputs: what the model reads: the name of an array; a list of names, which makes the inputs a dict of these
        names; or a dict of names by key. By default `inputs` or `x`, or else the only array of the file.
      targets: what terms compare the outputs with, likewise. By default `targets` or `y` if there is one.
      sample_weight: the name of the array with a factor for each example, if any.

    Raises:
      ConfigurationError: There is no such file or array, it is damaged, or the arrays differ in length or hold no real
        numbers. Or a number is beyond float32, which arrays of float64 become: the message names its array and example,
        when the example is read.
    """

    file: str | pathlib.Path
    inputs: Names = None
    targets: Names = None
    sample_weight: str | None = None

    @functools.cached_property
    def places(self) -> Sequence[pathlib.Path]:
        """The files of the examples in their order."""
        return find_files(self.file, "NpzSource.file")

    def _read(self) -> Table:
        if len(self.places) > 1:
            raise ConfigurationError(
                f"NpzSource.file is {self.file!r}, which names {len(self.places)} files; expected one"
            )
        name = shown_path(self.places[0])
        asked = {"inputs": self.inputs, "targets": self.targets, "sample_weight": self.sample_weight}
        parts = choose("NpzSource", asked, read_arrays(self.places[0]), name)
        require_arrays(f"NpzSource: {name}", parts)
        return ArrayTable(parts, owner=f"NpzSource: {name}")


def read_arrays(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Returns the arrays of an `.npz` file, of an `.npy` file, or of the `.npy` files of a folder, by their names.

    Arrays that are not compressed are mapped into memory. Those of an archive of at most 4 GiB are read once now, to
    compare their checksums: mapped memory has none. Larger archives, which would take long, and `.npy` files, which
    have no checksums, are not read yet.

    Raises:
      ConfigurationError: The file holds no such arrays, or is damaged.
    """
    if path.is_dir():
        files = sorted(path.glob("*.npy"))
        if not files:
            raise ConfigurationError(f"{shown_path(path)} holds no .npy files; expected one for each array")
        return {file.stem: _mapped(file) for file in files}
    try:
        if zipfile.is_zipfile(path):
            return _of_archive(path)
        if path.suffix.lower() == ".npz":
            raise ConfigurationError(f"{shown_path(path)} is no .npz file; expected one that np.savez wrote")
        return {path.stem: _mapped(path)}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:  # such as an unknown compression
        raise ConfigurationError(f"{shown_path(path)} cannot be read: {error}") from error


def _mapped(path: pathlib.Path) -> np.ndarray:
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ConfigurationError(f"{shown_path(path)} is no .npy file; expected one that np.save wrote")
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except _DAMAGE as error:
        raise ConfigurationError(
            f"{shown_path(path)} is no intact array that NumPy saved: {str(error).splitlines()[0]}"
        ) from error


def _of_archive(path: pathlib.Path) -> dict[str, np.ndarray]:
    is_checked = path.stat().st_size <= _CHECKED_BYTES
    found = {}
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for member in archive.infolist():
            if not member.filename.endswith(".npy"):
                continue
            is_stored = member.compress_type == zipfile.ZIP_STORED
            if is_stored and is_checked:
                _require_checksum(archive, member)
            name = member.filename.removesuffix(".npy")
            found[name] = _inside(path, file, member) if is_stored else _unpacked(archive, member, path)
    if not found:
        raise ConfigurationError(f"{shown_path(path)} holds no arrays; expected a file that np.savez wrote")
    return found


def _require_checksum(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Raises BadZipFile unless a member has the checksum that the archive says."""
    with archive.open(member) as content:
        while content.read(_BLOCK):
            pass


def _inside(path: pathlib.Path, file: Any, member: zipfile.ZipInfo) -> np.ndarray:
    """Maps an array that lies in an archive as it is."""
    file.seek(member.header_offset)
    header = file.read(30)  # of the member; behind it are its name and a part whose length differs from that of the end
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(file)
    except _DAMAGE as error:
        raise ConfigurationError(f"{shown_path(path)}: {member.filename} is no array: {error}") from error
    if dtype.hasobject:
        raise ConfigurationError(
            f"{shown_path(path)}: {member.filename} holds Python objects; expected numbers: arrays of one shape and "
            f"type, as np.stack makes of a list of arrays"
        )
    if not np.prod(shape):
        return np.empty(shape, dtype)  # nothing to map
    return np.memmap(path, dtype, "r", offset=file.tell(), shape=shape, order="F" if is_fortran else "C")


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: pathlib.Path) -> np.ndarray:
    try:
        with archive.open(member) as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (*_DAMAGE, zlib.error) as error:
        raise ConfigurationError(f"{shown_path(path)}: {member.filename} cannot be read: {error}") from error
