"""Rebuilding: makes the model or the trainer of a run again, from the gin bindings in its folder."""

import contextlib
import pathlib
from collections.abc import Iterator, Sequence

import gin
import keras

from objectives import ConfigurationError
from trainer import config
from trainer.devices.members import workers_in_tf_config
from trainer.devices.strategy import place
from trainer.executions.choice import kept
from trainer.running.workdir import read_environment
from trainer.saved.configuration import SavedConfiguration
from trainer.saved.modules import import_modules
from trainer.saved.other_files import refuse_side_of_other_files
from trainer.settings.compatibility import refuse_unbuilt
from trainer.steps.precision import building_in
from trainer.task import model_of
from trainer.trainer import Trainer

# What a trainer that only evaluates does not need, and may not do.
_READ_ONLY = ("Trainer.reports = ()", "Trainer.callbacks = ()", "Trainer.non_finite = 'raise'")

# What rebuilding itself changes; the training data are not evaluated.
_NO_CHANGES, _OF_TRAINING = ("Trainer.callbacks: ", "Trainer.execution: "), "training data."


@contextlib.contextmanager
def configured(saved: SavedConfiguration, *, gin_files: Sequence[str], gin_params: Sequence[str]) -> Iterator[None]:
    """Gives gin the bindings of a run within the context, with further files and bindings, which win.

    Raises:
      ConfigurationError: Something is wrong with them, or a module that they import is not found.
    """
    with config.isolated():  # which is not locked, as modules register what they have
        modules = import_modules(read_environment(saved.file.parent).get("modules", {}))
        config.load(gin_files, [*_READ_ONLY, *_alone(saved), *gin_params], saved=saved.file.absolute(), modules=modules)
        if config.bound("Trainer.workdir", None) is not None:
            raise ConfigurationError("Trainer.workdir is bound; expected no binding, as a saved run is only read")
        yield


def build_model() -> keras.Model:
    """Builds the model that gin's current bindings describe, with new weights; its data are not read.

    Raises:
      ConfigurationError: The bindings describe no model, or it fails.
    """
    config.seed_generators()
    model = config.made("Trainer.model")
    if model is None:
        task = config.made("Trainer.task")
        if task is None:
            raise ConfigurationError("neither Trainer.task nor Trainer.model is bound, one of which builds the model")
        with building_in(config.bound("Trainer.precision", "float32")):
            model = model_of(task)
    refuse_unbuilt(model)
    return model


def build_trainer(folder: pathlib.Path, *, model: keras.Model | None = None) -> Trainer:
    """Builds the trainer that gin's current bindings describe. It executes as the run in `folder` did, if it can.

    Args:
      folder: of the run, which is not written to.
      model: takes the place of the one that the bindings describe.

    Raises:
      ConfigurationError: The bindings do not fit together, or would evaluate a part of other files.
    """
    with config.placed():
        placement = place(config.bound("Trainer.strategy", "auto"))
    before = kept(folder, placement.strategy.num_replicas_in_sync)
    if before is not None and config.bound("Trainer.execution", "auto") == "auto":
        with gin.unlock_config():
            gin.bind_parameter("Trainer.execution", before.execution)
    trainer = config.build(Trainer, workdir=None, **({} if model is None else {"model": model}))
    refuse_side_of_other_files(trainer.eval)
    return trainer


def changes_of(trainer: Trainer, folder: pathlib.Path) -> list[str]:
    """Returns how a trainer that `build_trainer` has built differs from the run in a folder, as lines.

    They are of further files and bindings, and of the user's own code and files that were edited since.
    """
    lines = [line for line in trainer.changes_since(folder) if not line.startswith(_NO_CHANGES)]
    own = [line for line in lines if not line.startswith(_OF_TRAINING)]
    return own if len(own) == len(lines) else [*own, "training data: other examples, which are not evaluated"]


def _alone(saved: SavedConfiguration) -> Sequence[str]:
    """Returns bindings by which one process evaluates a run of several workers."""
    is_of_workers = saved.bindings.get("Trainer.strategy") == "multi_worker"
    return ("Trainer.strategy = 'auto'",) if is_of_workers and not workers_in_tf_config() else ()
