"""Overlap: which examples of evaluation are trained on, where both sides read the same files."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from objectives.errors import Mistakes
from objectives.quantities import quantity
from trainer.feeds.files.split_source import SplitSource
from trainer.feeds.mixed import MixedSource
from trainer.feeds.sources import Source

# The fields that decide which examples of its files a source has, in those sources that have them.
_FIELDS = ("split", "fraction", "split_seed", "split_by")


class Overlap(NamedTuple):
    """Two sources over the same files that have examples in common.

    Attributes:
      train: the source of training.
      eval: the source of evaluation.
      shared: how many examples of evaluation are trained on.
      part: of which part of a mixed source these are, in words; else nothing.
    """

    train: SplitSource
    eval: SplitSource
    shared: int
    part: str

    @property
    def is_whole(self) -> bool:
        """Whether both sources have all examples of their files, as a look at overfitting asks for."""
        return self.train.split is None and self.eval.split is None


def refuse_overlap(train: Source, eval: Source | None) -> None:
    """Raises ConfigurationError where examples are trained on that a split should have held out for evaluation."""
    mistakes = Mistakes()
    for found in _overlaps(train, eval):
        if not found.is_whole:
            mistakes.messages.append(
                f"{found.shared:,} of the {quantity(len(found.eval.rows), 'evaluation example')}{found.part} are "
                f"trained on too: of the same files, {type(found.eval).__name__} has {_settings(found.train)} in "
                f"training, and {_settings(found.eval)} in evaluation; expected split='train' in training and "
                f"split='eval' in evaluation, with the same {_same(found.eval)} in both"
            )
    mistakes.raise_any()


def describe_overlap(train: Source, eval: Source | None) -> list[str]:
    """Describes evaluation on all of the files that are trained on, where this is so."""
    return [
        f"all {quantity(found.shared, 'evaluation example')}{found.part} are trained on too, which shows nothing of "
        f"other examples; split='train' in training and split='eval' in evaluation hold some out"
        for found in _overlaps(train, eval)
        if found.is_whole
    ]


def pairs(train: Source, eval: Source | None) -> Iterator[tuple[SplitSource, SplitSource, str]]:
    """Yields the sources that a model reads alike: of mixed sources, the parts of the same names."""
    if isinstance(train, SplitSource) and isinstance(eval, SplitSource):
        yield train, eval, ""
    if isinstance(train, MixedSource) and isinstance(eval, MixedSource):
        for name in [name for name in train.parts if name in eval.parts]:
            for trained, evaluated, _ in pairs(train.parts[name], eval.parts[name]):
                yield trained, evaluated, f" of the part {name!r}"


def _overlaps(train: Source, eval: Source | None) -> Iterator[Overlap]:
    for trained, evaluated, part in pairs(train, eval):
        if type(trained) is type(evaluated) and _resolved(trained) == _resolved(evaluated):
            shared = int(np.isin(evaluated.rows, trained.rows, assume_unique=True).sum())
            if shared:
                yield Overlap(trained, evaluated, shared, part)


def _resolved(source: SplitSource) -> list[str]:
    return [str(place.resolve()) for place in source.places]


def _settings(source: SplitSource) -> str:
    names = _FIELDS if source.split else _FIELDS[:1]
    return ", ".join(f"{name}={getattr(source, name)!r}" for name in names if hasattr(source, name))


def _same(source: SplitSource) -> str:
    *names, last = [name for name in _FIELDS if name != "split" and hasattr(source, name)]
    return f"{', '.join(names)} and {last}"
