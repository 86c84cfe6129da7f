"""The TensorBoard report: every tag as a scalar, all terms on one chart, the config as text.

Events are written as TensorBoard's own protos, one event a logged step: summary operations fail inside XLA,
are wrong on replicas, and cost a call each.
"""

import pathlib
import struct

import gin
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import summary as custom_scalar
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.text.summary_v2 import text_pb

from trainer.reports.event_files import EventFile
from trainer.reports.log import LogRecords
from trainer.reports.picture import Drawing
from trainer.reports.report import Report, Run


@gin.register(module="trainer.reports")
class TensorBoard(Report):
    """Writes each tag as a scalar under `train/` and `eval/` of a folder, a chart of all terms, the config as text.

    Pictures of metrics and of examples are shown as images.

    The folder is by default that of the run.
    """

    def __init__(self, folder: str | pathlib.Path | None = None):
        self._given = folder
        self._files: dict[str, EventFile] = {}

    def start(self, run: Run) -> None:
        folder = run.folder(self._given, type(self).__name__)
        for split in ("train", "eval"):
            self._files[split] = EventFile(folder / split, run.first_step)
            self._files[split].add(run.first_step, _layout_summary())
        self._files["train"].add(run.first_step, text_pb("config", _as_code(run.config)))

    def write(self, lines: LogRecords) -> None:
        self._files[lines.split].add_scalars(lines)

    def picture(self, picture: Drawing) -> None:
        self._files["eval"].add(picture.step, _image(picture.tag, picture.png()))

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


def _image(tag: str, png: bytes) -> Summary:
    """Returns a PNG as TensorFlow 2 writes an image: its width, its height and its bytes."""
    width, height = struct.unpack(">II", png[16:24])
    tensor = TensorProto(
        dtype=DT_STRING,
        tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=3)]),
        string_val=[str(width).encode(), str(height).encode(), png],
    )
    about = image_metadata.create_summary_metadata(display_name=None, description=None)
    return Summary(value=[Summary.Value(tag=tag, tensor=tensor, metadata=about)])


def _chart(title: str, tags: list[str]) -> layout_pb2.Chart:
    return layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=tags))


def _as_code(text: str) -> str:
    """Markdown that shows `text` as it is."""
    return "\n".join(f"    {line}" for line in text.splitlines())
