"""The TensorBoard report: every tag as a scalar, all terms on one chart, the config as text.

Events are written as TensorBoard's own protos, one event a logged step: summary operations fail inside XLA,
are wrong on replicas, and cost a call each.
"""

import functools
import os
import pathlib
import socket
import time
from collections.abc import Mapping

import tensorflow as tf
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import summary as custom_scalar
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb

from trainer.log import Line
from trainer.reports.report import Report, Run


class TensorBoard(Report):
    """Writes events under `train/` and `eval/` of a folder."""

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        self._files: dict[str, _EventFile] = {}

    def start(self, run: Run) -> None:
        for split in ("train", "eval"):
            self._files[split] = _EventFile(self._folder / split)
            self._files[split].drop_after(run.first_step)
            self._files[split].add(run.first_step, _layout_summary())
        self._files["train"].add(run.first_step, text_pb("config", _as_code(run.config)))

    def write(self, line: Line) -> None:
        self._files[line.split].add(line.step, _scalars(line.values))

    def flush(self) -> None:
        for file in self._files.values():
            file.flush()

    def close(self) -> None:
        for file in self._files.values():
            file.close()


def _scalars(values: Mapping[str, float]) -> Summary:
    summary = _scalar_summary(tuple(values))
    for proto, number in zip(summary.value, values.values(), strict=True):
        proto.tensor.float_val[0] = number
    return summary


@functools.lru_cache(maxsize=16)
def _scalar_summary(tags: tuple[str, ...]) -> Summary:
    """Scalars of these tags, to be filled in: to make them anew for each line takes some twenty times as long."""
    return Summary(value=[value for tag in tags for value in scalar_pb(tag, 0.0).value])


def layout() -> layout_pb2.Layout:
    """The custom-scalars page: all weighted terms and their total on one chart, all raw terms on another.

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
    """One file of TensorBoard events."""

    def __init__(self, folder: pathlib.Path):
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}.v2"
        self._records = tf.io.TFRecordWriter(str(folder / name))
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def add(self, step: int, summary: Summary) -> None:
        self._write(Event(wall_time=time.time(), step=step, summary=summary))

    def drop_after(self, step: int) -> None:
        """Makes TensorBoard forget what earlier files of the folder say of later steps."""
        start = SessionLog(status=SessionLog.START)
        self._write(Event(wall_time=time.time(), step=step + 1, session_log=start))

    def _write(self, event: Event) -> None:
        self._records.write(event.SerializeToString())

    def flush(self) -> None:
        self._records.flush()

    def close(self) -> None:
        self._records.close()
