"""Chosen: which checkpoint of a run is read, the newest, the best or that of a step, while the run may train on."""

import math
import pathlib
from collections.abc import Sequence

from absl import logging

from objectives import ConfigurationError
from objectives.errors import expected
from trainer.checkpoints import snapshot
from trainer.checkpoints.checkpoints import Checkpoint, Checkpoints
from trainer.checkpoints.snapshot import Snapshot

NEWEST, BEST = "newest", "best"


def choose(folder: pathlib.Path, wanted: str | int, *, metric: str | None) -> Snapshot:
    """Reads the checkpoint that is wanted; of several that would do, the first that is intact.

    Args:
      folder: of the run.
      wanted: "newest", "best" or the number of updates done, as a number or as text.
      metric: the tag of evaluation whose lowest value is the best, with a leading "-" its highest; None if unknown.

    Raises:
      ConfigurationError: There is no such checkpoint; the message says which there are.
    """
    checkpoints = Checkpoints(folder / "checkpoints")
    while True:
        listed = checkpoints.all()
        candidates = _candidates(folder, listed, wanted, metric)
        if found := _first_intact(candidates):
            return found
        if checkpoints.all() == listed:  # otherwise the run has saved another one meanwhile
            raise ConfigurationError(
                f"no checkpoint in {folder} that would do is intact ("
                + "; ".join(f"{one.folder.name}: {one.find_damage()}" for one in candidates)
                + f"); {_there_are(listed)}"
            )


def _candidates(
    folder: pathlib.Path, listed: Sequence[Checkpoint], wanted: str | int, metric: str | None
) -> Sequence[Checkpoint]:
    if not listed:
        raise ConfigurationError(f"the run in {folder} has saved no checkpoint yet, so that it has no weights to use")
    if wanted == NEWEST:
        return listed[::-1]
    if wanted == BEST:
        return _ranked(folder, listed, metric)
    if not str(wanted).isdecimal():
        raise ConfigurationError(
            f"the checkpoint is {wanted!r}; {expected(str(wanted), [NEWEST, BEST])}, or the number of a step: "
            f"{_there_are(listed)}"
        )
    found = [checkpoint for checkpoint in listed if checkpoint.step == int(wanted)]
    if not found:
        raise ConfigurationError(f"the run in {folder} has no checkpoint of step {int(wanted):,}; {_there_are(listed)}")
    return found


def _ranked(folder: pathlib.Path, listed: Sequence[Checkpoint], metric: str | None) -> Sequence[Checkpoint]:
    if metric is None:
        raise ConfigurationError(
            f"the run in {folder} did not say which checkpoint is the best, as it had no Trainer.best; expected "
            f"'newest', a step, or the value to compare by, as in Trainer.best = 'loss/total': {_there_are(listed)}"
        )
    ranked = Checkpoints(folder / "checkpoints").ranked(metric)
    if not ranked:
        tag = metric.removeprefix("-")
        tags = {tag for one in listed for tag in _tags(one)}
        why = expected(tag, tags) if tags and tag not in tags else "none of its checkpoints was evaluated at its step"
        raise ConfigurationError(f"no checkpoint in {folder} can be compared by {tag!r}: {why}; {_there_are(listed)}")
    return ranked


def _tags(checkpoint: Checkpoint) -> Sequence[str]:
    """Returns the tags of the evaluation of a checkpoint; none of one that is damaged or gone."""
    if checkpoint.find_damage() is not None or checkpoint.evaluation is None:
        return ()
    return [tag for tag in checkpoint.evaluation.values if not math.isnan(checkpoint.value(tag))]


def _first_intact(candidates: Sequence[Checkpoint]) -> Snapshot | None:
    for checkpoint in candidates:
        try:
            return snapshot.read(checkpoint)
        except snapshot.Gone:
            continue
        except ConfigurationError as error:
            logging.warning("%s; the next one is used", error)
    return None


def _there_are(listed: Sequence[Checkpoint]) -> str:
    steps = ", ".join(f"{checkpoint.step}" for checkpoint in listed)
    return f"there are checkpoints of steps {steps}" if len(listed) > 1 else f"there is a checkpoint of step {steps}"
