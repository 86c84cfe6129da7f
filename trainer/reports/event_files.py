"""Event files: TensorBoard's events on disk, one file for each start of a run, cut where it resumes."""

import os
import pathlib
import socket
import time

import tensorflow as tf
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary

from trainer.reports.events import scalar_events
from trainer.reports.log import LogRecords
from trainer.storage import files

# TensorBoard takes any name with "tfevents" in it; files of other writers are not ours to cut.
SUFFIX = ".termwise.v2"

# What a file holds of each event beside its own bytes: their number, and two checksums.
_FRAME = 16


class EventFile:
    """A new file of TensorBoard events, which continues behind a step of the earlier files of its folder."""

    def __init__(self, folder: pathlib.Path, step: int):
        """Cuts the earlier files, and begins this one.

        Args:
          folder: is made if it is not there.
          step: the number of updates done.

        Raises:
          StorageError: the system refuses it; so do the other methods.
        """
        self._path = folder / f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}{SUFFIX}"
        with files.writing(self._path):
            folder.mkdir(parents=True, exist_ok=True)
            drop_after(folder, step)
            self._writer = tf.io.TFRecordWriter(str(self._path))
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        # Tells a running TensorBoard to forget the events that were dropped.
        self._write(Event(wall_time=time.time(), step=step + 1, session_log=SessionLog(status=SessionLog.START)))

    def add(self, step: int, summary: Summary) -> None:
        """Writes a summary of a step."""
        self._write(Event(wall_time=time.time(), step=step, summary=summary))

    def add_scalars(self, records: LogRecords) -> None:
        """Writes an event for each record."""
        with files.writing(self._path):
            for event in scalar_events(records, time.time()):
                self._writer.write(event.tobytes())

    def flush(self) -> None:
        """Returns once all that was written would survive a loss of power."""
        with files.writing(self._path):
            self._writer.flush()
            files.flush(self._path)

    def close(self) -> None:
        """Ends the file."""
        with files.writing(self._path):
            self._writer.close()

    def _write(self, event: Event) -> None:
        with files.writing(self._path):
            self._writer.write(event.SerializeToString())


def drop_after(folder: pathlib.Path, step: int) -> None:
    """Cuts the event files of a folder before their first event of a later step, and where a write was torn.

    Files that are left with nothing but their version are removed.
    """
    for path in folder.glob(f"*tfevents*{SUFFIX}"):
        with files.writing(path):
            size, events = _kept(path, step)
            if events > 1:
                os.truncate(path, size)
            else:
                path.unlink()


def _kept(path: pathlib.Path, step: int) -> tuple[int, int]:
    """Returns how many bytes, and how many events, of a file come before any event of a later step."""
    size = events = 0
    for event in RawEventFileLoader(str(path)).Load():  # which ends where a write was cut off
        if Event.FromString(event).step > step:
            break
        size, events = size + len(event) + _FRAME, events + 1
    return size, events
