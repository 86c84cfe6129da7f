"""Event files: TensorBoard's events on disk, one file for each start of a run, cut where it resumes."""

import os
import pathlib
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.scalar.summary_v2 import scalar_pb

from trainer.reports.log import LogRecords
from trainer.reports.tensorboard.events import scalar_events
from trainer.reports.tensorboard.records import Record
from trainer.storage import files

# TensorBoard takes any name with "tfevents" in it; files of other writers are not ours to cut.
SUFFIX = ".termwise.v2"

# The name of the file that `write_first` writes, before those of all times.
_FIRST = "events.out.tfevents.0.termwise"

# What a file holds of each event beside its own bytes: their number, and two checksums.
_FRAME = 16


class EventFile:
    """A new file of TensorBoard events, which continues behind a step of the earlier files of its folder."""

    def __init__(
        self, folder: pathlib.Path, step: int, *, about: Mapping[str, str] | None = None, since: int | None = None
    ):
        """Cuts the earlier files, and begins this one.

        Args:
          folder: is made if it is not there.
          step: the number of updates done.
          about: Markdown about scalars, by tag.
          since: the events of the earlier files that are behind this step are kept in `before`.

        Raises:
          StorageError: the system refuses it; so do the other methods.
        """
        self._about = dict(about or {})
        self._path = folder / f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}{SUFFIX}"
        with files.writing(self._path):
            folder.mkdir(parents=True, exist_ok=True)
            self.before = drop_after(folder, step, since=since)
            self._file = self._path.open("wb")
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        # Tells a running TensorBoard to forget the events that were dropped.
        self._write(Event(wall_time=time.time(), step=step + 1, session_log=SessionLog(status=SessionLog.START)))

    def add(self, step: int, summary: Summary) -> None:
        """Writes a summary of a step."""
        self._write(Event(wall_time=time.time(), step=step, summary=summary))

    def add_scalars(self, records: LogRecords) -> None:
        """Writes an event for each record."""
        if self._about and len(records):
            records = self._introduced(records)
        if len(records):
            with files.writing(self._path):
                for events in scalar_events(records, time.time()):
                    self._file.write(events.data)

    def flush(self) -> None:
        """Returns once all that was written would survive a loss of power."""
        with files.writing(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Ends the file."""
        with files.writing(self._path):
            self._file.close()

    def _introduced(self, records: LogRecords) -> LogRecords:
        """Writes the first record, if some of its tags have something told about them; returns those left to write.

        TensorBoard takes what is told with the first value of a tag; each event would be several times as long with it.
        """
        first = records[:1].last
        told = {tag: self._about.pop(tag, None) for tag in first.values}
        if not any(told.values()):
            return records
        values = [scalar_pb(tag, value, told[tag]).value[0] for tag, value in first.values.items()]
        self.add(first.step, Summary(value=values))
        return records[1:]

    def _write(self, event: Event) -> None:
        with files.writing(self._path):
            self._file.write(Record(np.frombuffer(event.SerializeToString(), np.uint8)).frame.data)


def drop_after(folder: pathlib.Path, step: int, *, since: int | None = None) -> list[Event]:
    """Cuts the event files of a folder before their first event of a later step, and where a write was torn.

    Files that are left with nothing but their version are removed.

    Returns:
      The events left of steps behind `since`, in the order in which they were written; none if it is not given.
    """
    recent: list[Event] = []
    for path in sorted(folder.glob(f"*tfevents*{SUFFIX}")):
        with files.writing(path):
            size = count = 0
            for event, length in _kept(path, step):
                size, count = size + length, count + 1
                if since is not None and event.step > since:
                    recent.append(event)
            if count > 1:
                os.truncate(path, size)
            else:
                path.unlink()
    return recent


def write_first(folder: pathlib.Path, summary: Summary) -> None:
    """Writes a summary that TensorBoard reads before all others of a folder, in place of any that was written so.

    Raises:
      StorageError: the system refuses it; what was there before is there still.
    """
    with files.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with files.unfinished(folder / _FIRST) as path, files.writing(path):
        with tf.io.TFRecordWriter(str(path)) as writer:
            writer.write(Event(wall_time=time.time(), file_version="brain.Event:2").SerializeToString())
            writer.write(Event(wall_time=time.time(), summary=summary).SerializeToString())
        files.flush(path)


def drop_first(folder: pathlib.Path) -> None:
    """Removes what `write_first` wrote to a folder, if anything."""
    with files.writing(folder):
        files.discard(folder / _FIRST)


def converted(summary: Any) -> Summary:
    """Returns a summary of TensorFlow's class, as TensorBoard makes some, as one of the class that its events take."""
    return Summary.FromString(summary.SerializeToString())


def _kept(path: pathlib.Path, step: int) -> Iterator[tuple[Event, int]]:
    """Yields the events of a file that come before any event of a later step, and how many bytes each takes."""
    for record in RawEventFileLoader(str(path)).Load():  # which ends where a write was cut off
        event = Event.FromString(record)
        if event.step > step:
            break
        yield event, len(record) + _FRAME
