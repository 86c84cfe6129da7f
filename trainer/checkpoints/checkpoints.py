"""Checkpoints: the folder with the checkpoints of a run: finds, verifies, completes and removes them."""

import contextlib
import dataclasses
import functools
import math
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np
from absl import logging

from objectives import ConfigurationError
from trainer.checkpoints import manifest, progress
from trainer.checkpoints.best import changed_parts, rank, tag_of
from trainer.reports.log import LogRecord
from trainer.storage import files
from trainer.storage.strict_json import numbers

# The file with the arrays of callbacks.
CALLBACKS = "callbacks.npz"


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """One checkpoint: a folder that is named by the number of updates done.

    Attributes:
      folder: its path.
    """

    folder: pathlib.Path

    @property
    def step(self) -> int:
        """The number of updates done."""
        return int(self.folder.name)

    @functools.cached_property
    def progress(self) -> dict[str, Any]:
        """How far the run was, as `progress.read` gives it."""
        return progress.read(self.folder)

    def find_damage(self) -> str | None:
        """Returns which of its files is damaged, and how, or None."""
        return manifest.find_damage(self.folder) or progress.find_damage(self.folder, step=self.step)

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the values of all variables of all workers, by name."""
        arrays: dict[str, np.ndarray] = {}
        for path in sorted(self.folder.glob("*.npz")):
            if path.name != CALLBACKS:
                with np.load(path) as file:
                    arrays |= file
        return arrays

    def arrays_of_callbacks(self) -> dict[str, np.ndarray]:
        """Returns what callbacks keep in arrays, by name; none of a run without callbacks."""
        path = self.folder / CALLBACKS
        if not path.exists():
            return {}
        with np.load(path) as file:
            return dict(file)

    @property
    def evaluation(self) -> LogRecord | None:
        """The latest evaluation when it was saved; a value that was not finite is nan."""
        found = self.progress["evaluation"]
        return found and LogRecord(**{**found, "values": numbers(found["values"])})

    @property
    def evaluated(self) -> Mapping[str, str]:
        """Digests of what its evaluation was made with, by name; none of a damaged one, or of earlier versions."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            found = self.progress.get("evaluated")
            return found if isinstance(found, dict) else {}
        return {}

    @property
    def is_extra(self) -> bool:
        """Whether it was saved for its evaluation alone, which was the best one, and not as one of the latest."""
        with contextlib.suppress(OSError, ValueError, AttributeError):  # damaged, so it does not say
            return self.progress.get("is_extra", False) is True
        return False

    def value(self, tag: str) -> float:
        """Returns a value of its own evaluation; nan if there was none at this step, or nothing was counted for it."""
        with contextlib.suppress(
            OSError, ValueError, LookupError, TypeError, AttributeError
        ):  # damaged, so it has no evaluation
            if self.evaluation is not None and self.evaluation.step == self.step:
                return self.evaluation.comparable(tag)
        return math.nan


class Checkpoints:
    """The checkpoints of one run, in one folder.

    It keeps the latest few, and besides them the best one, whichever that is.
    """

    def __init__(self, folder: pathlib.Path, *, keep: int = 3):
        """Stores the folder and which checkpoints to keep.

        Args:
          folder: the folder, which need not exist yet.
          keep: how many of the latest checkpoints to keep, not counting those that are extra.
        """
        self.folder, self._keep = folder, keep

    def all(self) -> list[Checkpoint]:
        """Returns all checkpoints, damaged ones too, in the order of their steps."""
        found = [Checkpoint(path) for path in self.folder.glob("[0-9]*") if path.name.isdecimal()]
        return sorted(found, key=lambda checkpoint: checkpoint.step)

    def at(self, step: int) -> pathlib.Path:
        """Returns the folder of the checkpoint of a step, which need not exist."""
        return self.folder / f"{step:06d}"

    def latest(self, *, quiet: bool = False) -> Checkpoint | None:
        """Returns the latest intact checkpoint, or None if there are none at all; warns of newer ones that are damaged.

        Raises:
          ConfigurationError: There are checkpoints, and all are damaged.
        """
        damage: dict[str, str] = {}
        for checkpoint in reversed(self.all()):
            found = checkpoint.find_damage()
            if found is None:
                for name, what in () if quiet else damage.items():
                    logging.warning("checkpoint %s is damaged: %s; %s is used instead", name, what, checkpoint.folder)
                return checkpoint
            damage[str(checkpoint.folder)] = found
        if damage:
            found = "; ".join(f"{name}: {what}" for name, what in damage.items())
            raise ConfigurationError(
                f"every checkpoint is damaged ({found}); restore one from a copy, or move {self.folder} away to "
                f"start again from step 0"
            )
        return None

    def best(
        self, metric: str, *, intact: Checkpoint | None = None, evaluated: Mapping[str, str] | None = None
    ) -> Checkpoint | None:
        """Returns the best intact checkpoint by a metric, among those that were evaluated at their step, or None.

        Args:
          metric: the tag whose lowest value makes a checkpoint the best one; with a leading "-", its highest.
          intact: one that need not be verified again.
          evaluated: what evaluations are made with, as in `ranked`.
        """
        ranked = self.ranked(metric, evaluated)
        return next((one for one in ranked if one == intact or one.find_damage() is None), None)

    def ranked(self, metric: str, evaluated: Mapping[str, str] | None = None) -> list[Checkpoint]:
        """Returns the checkpoints that have a value of a metric, the best first, unverified; see `rank`.

        Args:
          metric: as in `best`.
          evaluated: digests of what evaluations are made with; checkpoints whose evaluation was made with something
            else are left out, see `changed_parts`. By default those of the latest checkpoint that has any.
        """
        listed = self.all()
        if evaluated is None:
            evaluated = next((one.evaluated for one in reversed(listed) if one.evaluated), {})
        alike = [one for one in listed if not changed_parts(tag_of(metric), one.evaluated, evaluated)]
        values = {checkpoint: rank(metric, checkpoint.value) for checkpoint in alike}
        return sorted((c for c, value in values.items() if not math.isnan(value)), key=values.__getitem__)

    def disk_space(self, size: int, *, saves: int, extra: int, best: bool) -> int:
        """Returns how many more bytes the folder will take at most.

        Args:
          size: the bytes of one checkpoint.
          saves: how many will be saved as one of the latest.
          extra: how many more will be saved at most, each as the best one.
          best: whether the best one is kept.
        """
        now = len(self.all())
        # While one is written there is one more than are kept.
        most = min(saves + extra + now, min(saves + now, self._keep) + best + 1)
        return max(0, (most - now) * size)

    def new(self, step: int) -> pathlib.Path:
        """Returns the folder in which the files of a checkpoint are collected until it is complete; makes it if needed.

        Raises:
          StorageError: The folder cannot be made.
        """
        folder = self._unfinished(step)
        with files.writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def complete(self, step: int, *, best: int | None = None) -> None:
        """Moves a complete checkpoint into place, and removes those that are no longer kept.

        Args:
          step: its step.
          best: the step of the best one, which is kept too.

        Raises:
          StorageError: The system refuses it; the earlier checkpoints still exist.
        """
        target = self.at(step)
        with files.writing(target):
            manifest.seal(self.new(step))
            if target.exists():
                files.remove(target)
            files.move(self.new(step), target)
            self._remove_old(step, best)

    def discard(self, step: int) -> None:
        """Gives up a checkpoint that is not complete."""
        shutil.rmtree(self._unfinished(step), ignore_errors=True)

    def tidy(self) -> None:
        """Removes what killed processes left behind.

        Raises:
          StorageError: It cannot be removed.
        """
        with files.writing(self.folder):
            files.remove_leftovers(self.folder)

    def _unfinished(self, step: int) -> pathlib.Path:
        return self.folder / f".saving-{step:06d}"

    def _remove_old(self, step: int, best: int | None) -> None:
        """Leaves the latest up to `step`, and the best; later ones belong to a past that was given up."""
        for checkpoint in self.all():
            if checkpoint.step > step:
                files.remove(checkpoint.folder)
        latest = [checkpoint.step for checkpoint in self.all() if not checkpoint.is_extra][-self._keep :]
        for checkpoint in self.all():
            if checkpoint.step not in (*latest, best, step):
                files.remove(checkpoint.folder)
