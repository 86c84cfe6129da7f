"""Snapshot: a checkpoint that was read whole, by a process that need not be the one that trains in that folder."""

import dataclasses
import pathlib
from collections.abc import Mapping

import numpy as np

from objectives import ConfigurationError
from trainer.checkpoints.checkpoints import Checkpoint
from trainer.checkpoints.fitting import Shape, fitted
from trainer.reports.log import LogRecord


class Gone(Exception):
    """The checkpoint was removed while it was read, as a run does that trains on."""


@dataclasses.dataclass(frozen=True, eq=False)
class Snapshot:
    """A checkpoint as it was read, intact.

    Attributes:
      folder: where it was.
      step: the number of updates done.
      arrays: the values of all variables of the training state, by name.
      evaluation: the latest evaluation when it was saved, or None.
      stopped_by: what had ended training by then, or None.
    """

    folder: pathlib.Path
    step: int
    arrays: Mapping[str, np.ndarray]
    evaluation: LogRecord | None
    stopped_by: str | None

    def fitted(self, shapes: Mapping[str, Shape]) -> dict[str, np.ndarray]:
        """Returns the values of those variables that `shapes` names, and maybe not those of averages of weights.

        Args:
          shapes: the shapes of the variables to load, see `State.shapes`, of all or of some groups.

        Raises:
          ConfigurationError: the checkpoint is of another model.
        """
        groups = {"model", "layers", *(_group(name) for name in shapes)}
        try:
            return fitted({name: array for name, array in self.arrays.items() if _group(name) in groups}, shapes)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"{self.folder} is of another model than this one: {error}; expected the model that the run trained"
            ) from error


def read(checkpoint: Checkpoint) -> Snapshot:
    """Reads a checkpoint, and nothing else in its folder; no lock is needed, as a checkpoint never changes.

    Raises:
      ConfigurationError: it is damaged.
      Gone: it is not there any more.
    """
    try:
        damage = checkpoint.find_damage()
        snapshot = None if damage else _whole(checkpoint)
    except FileNotFoundError as error:
        raise Gone(str(checkpoint.folder)) from error
    # A folder is renamed before its files are removed: if it has its name still, all of them were there.
    if not checkpoint.folder.exists():
        raise Gone(str(checkpoint.folder))
    if snapshot is None:
        raise ConfigurationError(f"checkpoint {checkpoint.folder} is damaged: {damage}")
    return snapshot


def _whole(checkpoint: Checkpoint) -> Snapshot:
    return Snapshot(
        folder=checkpoint.folder,
        step=checkpoint.step,
        arrays=checkpoint.arrays(),
        evaluation=checkpoint.evaluation,
        stopped_by=checkpoint.progress.get("stopped_by"),
    )


def _group(name: str) -> str:
    return name.partition("/")[0]
