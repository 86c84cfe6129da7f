"""The TensorBoard report: every tag as a scalar, all terms on one chart, the config as text.

Events are written as TensorBoard's own protos, one event a logged step: summary operations fail inside XLA,
are wrong on replicas, and cost a call each.
"""

import os
import pathlib
import socket
import time

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import summary as custom_scalar
from tensorboard.plugins.text.summary_v2 import text_pb

from trainer.reports.event_files import SUFFIX, drop_after
from trainer.reports.events import scalar_events
from trainer.reports.log import LogRecords
from trainer.reports.records import framed
from trainer.reports.report import Report, Run
from trainer.storage.files import writing


class TensorBoard(Report):
    """Writes each tag as a scalar under `train/` and `eval/` of a folder, a chart of all terms, the config as text."""

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        self._files: dict[str, _EventFile] = {}

    def start(self, run: Run) -> None:
        for split in ("train", "eval"):
            self._files[split] = _EventFile(self._folder / split, run.first_step)
            self._files[split].add(run.first_step, _layout_summary())
        self._files["train"].add(run.first_step, text_pb("config", _as_code(run.config)))

    def write(self, lines: LogRecords) -> None:
        self._files[lines.split].add_scalars(lines)

    def bytes_of(self, lines: LogRecords) -> int:
        return framed(scalar_events(lines, 0.0)).nbytes

    def flush(self) -> None:
        for file in self._files.values():
            file.flush()

    def close(self) -> None:
        for file in self._files.values():
            file.close()


def layout() -> layout_pb2.Layout:
    """Returns the custom-scalars layout: all weighted terms and the total on one chart, all raw terms on another.

    Charts take their terms by pattern: it is the same for all runs, and TensorBoard shows different ones side by side.
    """
    charts = [
        _chart("weighted terms and their total", ["^loss/total$", "^terms/[^/]+/weighted$"]),
        _chart("raw terms", ["^terms/[^/]+/raw$"]),
        _chart("weights", ["^terms/[^/]+/weight$"]),
    ]
    return layout_pb2.Layout(category=[layout_pb2.Category(title="terms", chart=charts)])


def _layout_summary() -> Summary:
    # TensorBoard makes this one summary of TensorFlow's class, which is not the one its own events take.
    return Summary.FromString(custom_scalar.pb(layout()).SerializeToString())


def _chart(title: str, tags: list[str]) -> layout_pb2.Chart:
    return layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=tags))


def _as_code(text: str) -> str:
    """Markdown that shows `text` as it is."""
    return "\n".join(f"    {line}" for line in text.splitlines())


class _EventFile:
    """One file of TensorBoard events, which continues behind a step of the earlier files of its folder."""

    def __init__(self, folder: pathlib.Path, step: int):
        self._path = folder / f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}{SUFFIX}"
        with writing(self._path):
            folder.mkdir(parents=True, exist_ok=True)
            drop_after(folder, step)
            self._file = self._path.open("wb")
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        # Tells a running TensorBoard to forget the events that were dropped.
        self._write(Event(wall_time=time.time(), step=step + 1, session_log=SessionLog(status=SessionLog.START)))

    def add(self, step: int, summary: Summary) -> None:
        self._write(Event(wall_time=time.time(), step=step, summary=summary))

    def add_scalars(self, lines: LogRecords) -> None:
        self._append(framed(scalar_events(lines, time.time())))

    def flush(self) -> None:
        with writing(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        with writing(self._path):
            self._file.close()

    def _write(self, event: Event) -> None:
        self._append(framed(np.frombuffer(event.SerializeToString(), np.uint8)[None]))

    def _append(self, records: np.ndarray) -> None:
        with writing(self._path):
            self._file.write(records.data)
