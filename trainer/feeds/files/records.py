"""Records: TFRecord files, of which any record can be read by its number."""

import hashlib
import mmap
import os
import pathlib
import struct
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow.python.lib.io import tf_record

from objectives import ConfigurationError
from objectives.blame import shown_path

# Around the bytes of a record: their number with a checksum before, another checksum behind.
_LENGTH, _AROUND = struct.Struct("<Q"), 16


class Records:
    """The records of files, numbered in the order of the files; where each begins is found out once.

    Attributes:
      count: the number of records.
    """

    def __init__(self, files: Sequence[pathlib.Path]):
        """Walks over the lengths of all records.

        Raises:
          ConfigurationError: A file is no TFRecord file, or a compressed one, or ends within a record.
        """
        self._files = files
        self._offsets = [_offsets(file) for file in files]
        self._firsts = np.cumsum([0, *map(len, self._offsets)])
        self.count = int(self._firsts[-1])

    def read(self, numbers: np.ndarray) -> list[bytes]:
        """Returns some records; their checksums are compared as they are read.

        Args:
          numbers: of the records, `[n]`.

        Raises:
          ConfigurationError: A record is damaged; the message names its file and its number there, from 1 on.
        """
        found: list[bytes] = [b""] * len(numbers)
        order = np.argsort(numbers, kind="stable")  # a reader is several times faster from the front to the back
        of_files = np.searchsorted(self._firsts, numbers[order], side="right") - 1
        for file in np.unique(of_files):
            reader = tf_record.tf_record_random_reader(os.fspath(self._files[file]))
            for i in order[of_files == file]:
                offset = int(self._offsets[file][numbers[i] - self._firsts[file]])
                try:
                    found[i], _ = reader.read(offset)
                except (tf.errors.OpError, IndexError, OSError) as error:
                    raise ConfigurationError(f"{self.called(int(numbers[i]))} cannot be read: {error}") from error
            reader.close()
        return found

    def called(self, number: int) -> str:
        """Returns the file of a record and its number there, as text."""
        file = int(np.searchsorted(self._firsts, number, side="right")) - 1
        return f"{shown_path(self._files[file])}, record {number - self._firsts[file] + 1:,}"

    def digest(self, sample: int) -> str:
        """Returns a digest of where all records are, and of the content of so many of them, evenly spaced."""
        digest = hashlib.sha256(b"".join(offsets.tobytes() for offsets in self._offsets))
        for record in self.read(np.unique(np.linspace(0, self.count - 1, sample, dtype=np.int64))):
            digest.update(record)
        return digest.hexdigest()[:8]


def _offsets(file: pathlib.Path) -> np.ndarray:
    """Returns where each record of a file begins, int64."""
    size, offset, found = file.stat().st_size, 0, []
    if not size:
        return np.empty(0, np.int64)
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        while offset + _AROUND <= size:
            found.append(offset)
            offset += _LENGTH.unpack_from(content, offset)[0] + _AROUND
    if offset != size:
        if len(found) <= 1:
            raise ConfigurationError(
                f"{shown_path(file)} is no TFRecord file, or a compressed one, of which no record can be read without "
                f"those before; expected one that is not compressed, or a DatasetSource of a tf.data.TFRecordDataset"
            )
        last = len(found) + (offset < size)
        raise ConfigurationError(f"{shown_path(file)} ends within record {last:,}; expected the whole file")
    return np.array(found, np.int64)
