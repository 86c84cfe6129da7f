"""The TensorBoard report: every tag as a scalar, one chart of all terms, settings, pictures, and what was run as text.

Events are written as TensorBoard's own protos, one event a logged step: summary operations fail inside XLA,
are wrong on replicas, and cost a call each.
"""

import dataclasses
import pathlib
import struct

import gin
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.custom_scalar import summary as custom_scalar
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.text.summary_v2 import text_pb

from trainer.reports.log import LogRecords
from trainer.reports.picture import Drawing
from trainer.reports.report import Outcome, Report, Run
from trainer.reports.tensorboard.event_files import EventFile, converted, drop_first, write_first
from trainer.reports.tensorboard.events import scalars_of
from trainer.reports.tensorboard.hyperparameters import session_end, session_start
from trainer.reports.tensorboard.interval_means import unended_after
from trainer.reports.tensorboard.layout import layout_of
from trainer.reports.tensorboard.term_runs import TermRuns
from trainer.reports.tensorboard.texts import texts

# The tags of a term that its formula is told with.
_TOLD = (
    "raw",
    "weight",
    "weighted",
    "effective_weight",
    "multiplier",
    "violation",
    "count",
    "grad_norm",
    "grad_cosine",
)


@gin.register(module="trainer.reports")
class TensorBoard(Report):
    """Writes a run for TensorBoard: each tag as a scalar, and a run for each term, so that one chart shows all terms.

    In a folder, by default that of the run, it writes:

    - `train/` and `eval/`: each tag of the records as a scalar, with the formula of each term told on its charts,
      pictures of metrics and of examples as images, and what was run as text.
    - `terms/<name>/`: the same tags for each term, so that TensorBoard gives each a colour. Of training there is a mean
      over about a thousandth of the steps. TensorBoard begins its older pages with no run ticked where there are more
      than 40, terms included: `term_runs=False` leaves these out, as for a search over many runs.
    - The settings that the run has now as hyperparameters, and how it ended, beside the latest evaluation, or the
      latest record of a run that has none.
    """

    def __init__(self, folder: str | pathlib.Path | None = None, term_runs: bool = True):
        self._given, self._has_term_runs = folder, term_runs
        self._files: dict[str, EventFile] = {}
        self._terms: TermRuns | None = None

    def start(self, run: Run) -> None:
        self._run = run
        folder = run.folder(self._given, type(self).__name__)
        layout = layout_of(run.terms, term_runs=self._has_term_runs)
        about = {f"terms/{name}/{what}": text for name, text in run.descriptions.items() for what in _TOLD}
        since = unended_after(run.first_step, run.steps)
        for split in ("train", "eval"):
            self._files[split] = EventFile(folder / split, run.first_step, about=about, since=since)
            self._files[split].add(run.first_step, converted(custom_scalar.pb(layout)))
        before = scalars_of(self._files["train"].before, "train")
        terms = run.terms if self._has_term_runs else ()
        self._terms = TermRuns(folder, dataclasses.replace(run, terms=terms), since=since, before=before)
        for name, text in texts(run).items():
            self._files["train"].add(run.first_step, text_pb(name, text))
        row, other = ("eval", "train") if run.evaluates else ("train", "eval")
        drop_first(folder / other)
        # TensorBoard takes the first one, whatever follows, and a run may be resumed with other settings.
        write_first(folder / row, session_start(run.settings, folder))

    def write(self, lines: LogRecords) -> None:
        assert self._terms is not None
        self._files[lines.split].add_scalars(self._terms.write(lines))

    def picture(self, picture: Drawing) -> None:
        self._files["eval"].add(picture.step, _image(picture.tag, picture.png()))

    def flush(self) -> None:
        for file in self._parts:
            file.flush()

    def end(self, outcome: Outcome) -> None:
        # TensorBoard reads it once: a run that was stopped has none, so that the process that resumes it can tell.
        if outcome != "stopped":
            # Behind all steps, so that a resumed run drops it.
            behind = max(self._run.first_step, self._run.steps) + 1
            self._row.add(behind, session_end(is_complete=outcome == "complete"))

    def close(self) -> None:
        for file in self._parts:
            file.close()

    @property
    def _row(self) -> EventFile:
        """The run of TensorBoard that is the row of HParams: that of evaluations, whose values are the columns."""
        return self._files["eval" if self._run.evaluates else "train"]

    @property
    def _parts(self) -> list[EventFile | TermRuns]:
        return [*self._files.values(), *([self._terms] if self._terms else [])]


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
