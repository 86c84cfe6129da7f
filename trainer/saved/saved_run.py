"""SavedRun: a run read from its folder: its configuration, its numbers, and its model with the weights it saved."""

import contextlib
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import keras

from objectives import ConfigurationError
from objectives.errors import expected
from trainer.checkpoints.snapshot import Snapshot
from trainer.reports import jsonl
from trainer.running.workdir import locate_workdir, read_environment
from trainer.saved import rebuilding
from trainer.saved.chosen import NEWEST, choose
from trainer.saved.configuration import SavedConfiguration, read
from trainer.saved.export import Format, export, refuse_format
from trainer.saved.model_card import model_card
from trainer.saved.signature import Signature, signature_of, types_of_inputs
from trainer.saved.table import Columns, records_table, terms_table
from trainer.settings import changes
from trainer.settings.compatibility import refuse_unbuilt
from trainer.steps.variables.state import State, averaged
from trainer.trainer import Trainer

# Each of them says that a folder is that of a run.
_MARKS = (changes.NAME, jsonl.NAME, "checkpoints")


class SavedRun:
    """A run that is read from its folder, which is never written to; another process may train there meanwhile.

    Attributes:
      folder: the folder of the run.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        *,
        model: keras.Model | None = None,
        gin_files: Sequence[str] = (),
        gin_params: Sequence[str] = (),
    ):
        """Stores where the run is, and what takes the place of parts of its configuration; see `load_run`."""
        self.folder, self._gin_files, self._gin_params = folder, tuple(gin_files), tuple(gin_params)
        self._given = self._model = model
        self._checkpoint: Snapshot | None = None

    @cached_property
    def config(self) -> SavedConfiguration:
        """What the run was configured with: `config.text` in gin, and `config.bindings`, the values by parameter."""
        return read(self.folder)

    @property
    def environment(self) -> Mapping[str, Any]:
        """What the run ran on: `packages` with their versions, `git_revision`, `argv`, `steps` and more, by name."""
        return read_environment(self.folder)

    @property
    def checkpoint(self) -> Snapshot:
        """The checkpoint that is restored: `step`, `arrays` and the latest `evaluation` when it was saved."""
        if self._checkpoint is None:
            self.restore()
        assert self._checkpoint is not None
        return self._checkpoint

    @property
    def step(self) -> int:
        """The number of updates done at the checkpoint that is restored."""
        return self.checkpoint.step

    def restore(self, checkpoint: str | int = NEWEST, *, metric: str | None = None) -> "SavedRun":
        """Takes the weights of a checkpoint; without a call, those of the newest.

        Args:
          checkpoint: "newest", "best", or the number of updates done. A damaged checkpoint is not used.
          metric: the value of evaluation by which a checkpoint is the best, such as 'terms/data/raw' for its lowest
            and '-terms/data/raw' for its highest; by default that of the run, `Trainer.best`.

        Returns:
          The run itself.

        Raises:
          ConfigurationError: There is no such checkpoint, or it is of another model.
        """
        self._checkpoint = choose(self.folder, checkpoint, metric=metric or self.environment.get("best"))
        if self._model is not None:
            self._load(self._model)
        return self

    @property
    def model(self) -> keras.Model:
        """An ordinary Keras model with the weights of the checkpoint, averaged ones if the run kept an average.

        These are the weights that an evaluation uses. The model is the same object after another `restore`.

        Raises:
          ConfigurationError: The configuration of the run builds no model, or another one.
        """
        if self._model is None:
            with self._configured("model=... with a new model of that architecture"):
                model = rebuilding.build_model()
            self._load(model)
            self._model = model
        elif self._checkpoint is None:
            self.restore()
        return self._model

    @property
    def signature(self) -> Signature:
        """The inputs and outputs of the model by name, with their types and shapes."""
        data = changes.read_description(self.folder).get("training data", {})
        return signature_of(self.model, types_of_inputs(data))

    @contextlib.contextmanager
    def trainer(self) -> Iterator[Trainer]:
        """Builds the trainer of the run, at the checkpoint that is restored, for as long as the context is open.

        It is there to evaluate: `trainer.evaluate()`. It has no workdir, and nothing can be trained with it. Inside,
        gin has the configuration of the run; the former one is back when the context closes.

        Raises:
          ConfigurationError: The configuration of the run builds no trainer, or one of another model.
        """
        with self.rebuilt() as trainer, trainer.restored(self.checkpoint):
            yield trainer

    @contextlib.contextmanager
    def rebuilt(self) -> Iterator[Trainer]:
        """Builds the trainer of the run as `trainer` does, with the weights that it began with."""
        own = "a Trainer(...) of the same model, objective and data, and `with trainer.restored(run.checkpoint):`"
        with self._configured(own):
            yield rebuilding.build_trainer(self.folder, model=self._given)

    def export(self, output: str | pathlib.Path, format: Format = "saved_model") -> Sequence[str]:
        """Writes the model with the weights of the checkpoint for other programs, and a card that describes it.

        What was written is loaded again and compared with the model on a few examples. The card is `README.md` in a
        SavedModel, and beside a file it has the name of the file and `.md`.

        Args:
          output: a folder that is empty or new for "saved_model", a file that ends in `.keras` or `.onnx`.
          format: "saved_model", which needs TensorFlow alone and has the names of `signature`; "keras", which needs the
            code of layers that are not of Keras; or "onnx", if tf2onnx is installed.

        Returns:
          The user's own classes and functions that a program needs to load a `.keras` file.

        Raises:
          ConfigurationError: The format cannot represent the model, or the output lies in the folder of the run.
          StorageError: The system refuses to write.
        """
        path = pathlib.Path(output).expanduser().absolute()
        self.refuse_inside(path)
        refuse_format(path, format)
        signature = self.signature
        card = partial(model_card, self.folder, self.checkpoint, signature, name=path.name, form=format)
        return export(self.model, signature, path, format, card=card)

    def refuse_inside(self, output: pathlib.Path) -> None:
        """Raises ConfigurationError for a path in the folder of the run, which is only read."""
        if output.resolve().is_relative_to(self.folder.resolve()):
            raise ConfigurationError(
                f"the output {str(output)!r} lies in the folder of the run, which is only read; expected a path "
                f"outside of it, such as {str(self.folder.with_name(f'{self.folder.name}-{output.name}'))!r}"
            )

    def table(self) -> Columns:
        """Returns the log of each term, as columns of equal length that `pandas.DataFrame` takes.

        There is a row for each split, step and term, with `raw`, `weight`, `weighted`, `effective_weight`,
        `multiplier`, `violation`, `grad_norm` and `grad_cosine`; what was not logged is nan.
        """
        return terms_table(jsonl.read(self.folder))

    def records(self) -> Columns:
        """Returns all of the log: a row for each record and a column for each tag, nan where it was not logged."""
        return records_table(jsonl.read(self.folder))

    def draw_terms(self, path: str | pathlib.Path) -> pathlib.Path:
        """Draws all terms over the steps, weighted and raw, for a column of a paper, and an SVG beside it.

        Args:
          path: of the PNG.

        Returns:
          The path of the PNG.

        Raises:
          ConfigurationError: The run has logged nothing yet.
          StorageError: The pictures cannot be written.
        """
        from trainer.reports.chart import draw_terms  # imported here, as only drawing needs it

        return draw_terms(self.folder, pathlib.Path(path))

    @contextlib.contextmanager
    def _configured(self, otherwise: str) -> Iterator[None]:
        """Gives gin the configuration of the run; says what would do otherwise where it has none."""
        if not self.config.is_of_gin:
            raise ConfigurationError(
                f"the run in {self.folder} was made in Python, so that its folder does not say how to build it; "
                f"expected {otherwise}"
            )
        with rebuilding.configured(self.config, gin_files=self._gin_files, gin_params=self._gin_params):
            yield

    def _load(self, model: keras.Model) -> None:
        state = State.of_model(model)
        arrays = averaged(self.checkpoint.arrays)
        state.load(self.checkpoint.fitted(state.shapes) | {name: arrays[name] for name in state.names})


def load_run(
    workdir: str | pathlib.Path,
    *,
    model: keras.Model | None = None,
    gin_files: Sequence[str] = (),
    gin_params: Sequence[str] = (),
) -> SavedRun:
    """Opens a saved run, to use its model, to evaluate it or to read its numbers. It only reads the folder.

    Args:
      workdir: the folder of the run, wherever it was moved.
      model: takes the weights. A run that was made in Python needs it, as its folder does not say how to build one: a
        built model of the same architecture. By default the model is built by the gin configuration of the run.
      gin_files: files whose bindings take the place of those of the run, such as other evaluation data.
      gin_params: single bindings, such as "Objective.overlap = None"; they win over files.

    Raises:
      ConfigurationError: There is no run.

    >>> load_run("runs/nothing")
    Traceback (most recent call last):
    objectives.errors.ConfigurationError: there is no folder 'runs/nothing'; expected the --workdir of a run
    """
    folder = locate_workdir(workdir)
    if not folder.is_dir():
        beside = [path.name for path in folder.parent.glob("*") if _is_run(path)]
        near = f": {expected(folder.name, beside)}" if beside else ""
        raise ConfigurationError(f"there is no folder {str(workdir)!r}; expected the --workdir of a run{near}")
    if not _is_run(folder):
        inside = sorted(path.name for path in folder.glob("*") if _is_run(path))
        runs = f", such as {str(folder / inside[0])!r}" if inside else f", with {changes.NAME} in it"
        raise ConfigurationError(f"{str(workdir)!r} contains no run; expected the --workdir of one{runs}")
    if model is not None:
        refuse_unbuilt(model)
    return SavedRun(folder, model=model, gin_files=gin_files, gin_params=gin_params)


def _is_run(folder: pathlib.Path) -> bool:
    return any((folder / mark).exists() for mark in _MARKS)
