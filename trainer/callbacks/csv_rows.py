"""CSV rows: the file of Keras's CSVLogger, which has each row once however often a run is killed and resumed."""

import os
import pathlib

import keras


def bytes_of(callback: keras.callbacks.Callback) -> int | None:
    """Returns how long the file of a CSVLogger is, once all its rows are on the disk; None of other callbacks."""
    if not isinstance(callback, keras.callbacks.CSVLogger) or not os.path.exists(callback.filename):
        return None
    with open(callback.filename, "rb") as file:
        os.fsync(file.fileno())
    return os.path.getsize(callback.filename)


def resume(callback: keras.callbacks.CSVLogger, size: int) -> str | None:
    """Opens the file of a CSVLogger where a checkpoint has left it; later rows, which come again, are dropped.

    Args:
      callback: writes the file.
      size: the length of the file at the checkpoint, in bytes.

    Returns:
      A sentence about rows that are missing, if any are.
    """
    if callback.csv_file is not None and not callback.csv_file.closed:
        callback.csv_file.close()
    path = pathlib.Path(callback.filename)
    found = path.stat().st_size if path.exists() else 0
    if found > size:
        os.truncate(path, size)
    callback.csv_file = path.open("a", newline="")
    callback.append_header, callback.writer = min(found, size) == 0, None
    if found >= size:
        return None
    return (
        f"CSVLogger: {path} has {found:,} bytes and had {size:,} at the checkpoint, so that earlier rows are missing; "
        f"metrics.jsonl has their values"
    )
