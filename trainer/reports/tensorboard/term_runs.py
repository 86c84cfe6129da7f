"""Term runs: a run of TensorBoard for each term, with the same tags for all, so that a chart has a colour a term."""

import pathlib
from collections.abc import Iterable

import numpy as np

from trainer.reports.columns import columns_of, with_columns
from trainer.reports.effective_values import with_effective_values
from trainer.reports.log import LogRecord, LogRecords, blocks
from trainer.reports.report import Run
from trainer.reports.shares import BALANCED, VALUE, by_player
from trainer.reports.tensorboard.event_files import EventFile, drop_after
from trainer.reports.tensorboard.interval_means import IntervalMeans

FOLDER = "terms"

TOTAL = "0 total"
WEIGHTED, SHARE, GRADIENT_SHARE = "1 weighted", "2 share of the total", "3 share of the gradient"
NORM, COSINE, RAW = "4 gradient norm", "5 gradient cosine with the total", "6 raw"
WEIGHT, EFFECTIVE = "7 weight", "8 effective weight"
# Not 10, which TensorBoard would sort before 2.
MULTIPLIER, VIOLATION = "9 multiplier of the limit", "9 violation of the limit"

MEANINGS = {
    WEIGHTED: "What the term adds to the total.",
    SHARE: "The size of the weighted term, with the factor of a balancer, of the sum of the sizes of all terms; of "
    "players, of the terms of one.",
    GRADIENT_SHARE: "The norm of the gradient of the weighted term, of the sum of the norms of all terms; of players, "
    "of the terms of one.",
    NORM: "The norm of the gradient of the weighted term.",
    COSINE: "The cosine of the gradients of the weighted term and of the total: where it is below 0, they are opposed.",
    RAW: "The term before it is multiplied by its weight.",
    WEIGHT: "The weight of the term.",
    EFFECTIVE: "The weight of the term times its factor, which the balancer of the run finds.",
    MULTIPLIER: "What the balancer has learned to pay for the limit of the term.",
    VIOLATION: "By how much the term is above its limit.",
}
# By which tag records have it, and of what a share is.
SOURCES = {WEIGHTED: "weighted", NORM: "grad_norm", COSINE: "grad_cosine", RAW: "raw"}
SOURCES |= {WEIGHT: "weight", EFFECTIVE: "effective_weight", MULTIPLIER: "multiplier", VIOLATION: "violation"}
# The absolute value of what a term adds to what is optimised: the mean of what changes its sign says nothing of it.
_SIZE = "size"
# The norm of its gradient, and 0 in a measurement whose batch had no value of the term.
_PULL = "pull"
# Of what a share is, and which tag of a term says that there is one.
_SHARES = {SHARE: (_SIZE, _SIZE), GRADIENT_SHARE: (_PULL, "grad_norm")}
# An evaluation has no gradients, and the weights of training.
_SHOWN = {"train": tuple(MEANINGS), "eval": (WEIGHTED, SHARE, RAW)}
# TensorBoard sorts tags, and unfolds the first two groups, which are what is before a slash.
_GROUPS = {"train": "all terms", "eval": "all terms, evaluation"}


def tag_of(measure: str, split: str = "train") -> str:
    """Returns the tag that a measure, such as `WEIGHTED`, has in the runs of all terms.

    >>> tag_of(WEIGHTED), tag_of(SHARE, "eval")
    ('all terms/1 weighted', 'all terms, evaluation/2 share of the total')
    """
    return f"{_GROUPS[split]}/{measure}"


class TermRuns:
    """Writes events of each term to `terms/<name>` of a folder.

    Those of training are means over intervals of steps, of which there are about a thousand at most.
    """

    def __init__(self, folder: pathlib.Path, run: Run, *, since: int, before: Iterable[LogRecord]):
        """Begins at the first step of the run.

        Args:
          folder: of the run.
          run: names the terms.
          since: a step behind which all records are that may be of an interval that has not ended.
          before: the records of training on the disk that are behind it.
        """
        self._terms = run.terms
        self._rivals = [[run.terms.index(name) for name in own] for own in by_player(run.terms, run.players).values()]
        # In evaluations no factor is, and so there is no share of what is optimised.
        self._sized_by = VALUE if run.balancer is None else BALANCED
        sources = [
            "loss/total",
            *(f"terms/{name}/{source}" for name in run.terms for source in (*SOURCES.values(), _SIZE, _PULL)),
        ]
        self._means = IntervalMeans(sources, steps=run.steps, last=since)
        for block in blocks(before):
            self._means.add(self._with_sizes(block))
        for path in (folder / FOLDER).glob("*/"):
            if path.name not in run.terms:  # as one that was dropped from the objective
                drop_after(path, run.first_step)
        self._files = [
            EventFile(folder / FOLDER / name, run.first_step, about=_about(run.descriptions.get(name, "")))
            for name in run.terms
        ]

    def write(self, records: LogRecords) -> LogRecords:
        """Writes what records say of the terms; returns them with the total where a point of the curves is."""
        sized = self._with_sizes(records)
        points = self._means.add(sized) if records.split == "train" else sized
        if not len(points):
            return records
        self._write_terms(points)
        return _with_total(records, points)

    def _write_terms(self, points: LogRecords) -> None:
        values, present = self._by_measure(points)
        used = np.flatnonzero(present.any(axis=(0, 1)))
        tags = tuple(tag_of(_SHOWN[points.split][k], points.split) for k in used)
        for i, file in enumerate(self._files):
            rows = np.flatnonzero(present[:, i].any(axis=1))
            own = LogRecords(points.split, points.steps, tags, values[:, i, used], present[:, i, used])
            file.add_scalars(own[rows])

    def flush(self) -> None:
        """Returns once all that was written would survive a loss of power."""
        for file in self._files:
            file.flush()

    def close(self) -> None:
        """Ends the files."""
        for file in self._files:
            file.close()

    def _with_sizes(self, records: LogRecords) -> LogRecords:
        """Returns records with the size of each term in what is optimised, and of its gradient where some are known."""
        driving = with_effective_values(records)
        values, present = columns_of(driving, [f"terms/{name}/{self._sized_by}" for name in self._terms])
        sized = with_columns(records, [f"terms/{name}/{_SIZE}" for name in self._terms], np.abs(values), present)
        norms, measured = columns_of(records, [f"terms/{name}/grad_norm" for name in self._terms])
        if not measured.any():
            return sized
        of_all = np.broadcast_to(measured.any(axis=1, keepdims=True), measured.shape)
        pulls = np.where(measured, norms, 0.0)
        return with_columns(sized, [f"terms/{name}/{_PULL}" for name in self._terms], pulls, of_all)

    def _by_measure(self, records: LogRecords) -> tuple[np.ndarray, np.ndarray]:
        """Returns all values, and which of them are there: `[records, terms, measures]`."""

        def of_terms(source: str) -> tuple[np.ndarray, np.ndarray]:
            return columns_of(records, [f"terms/{name}/{source}" for name in self._terms])

        found = {measure: of_terms(source) for measure, source in SOURCES.items()}
        for share, (whole, known) in _SHARES.items():
            values, present = of_terms(whole)
            for rivals in self._rivals:
                values[:, rivals], present[:, rivals] = _shares(values[:, rivals], present[:, rivals])
            found[share] = values, present & of_terms(known)[1]
        values, present = zip(*(found[measure] for measure in _SHOWN[records.split]), strict=True)
        return np.stack(values, axis=-1), np.stack(present, axis=-1)


def _with_total(records: LogRecords, points: LogRecords) -> LogRecords:
    """Returns records with the total under the tag of the curves, at the steps of their points.

    It is part of the events of the records, which thus stay in the order of steps.
    """
    totals, _ = columns_of(points, ["loss/total"])
    at_points = np.isin(records.steps, points.steps)[:, None]
    column = np.zeros([len(records), 1])
    column[at_points] = totals[:, 0]
    return with_columns(records, [tag_of(TOTAL)], column, at_points)


def _shares(sizes: np.ndarray, present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the share of each size in the sum of all that are numbers; none where that is 0."""
    sums = np.nansum(np.where(present, sizes, 0.0), axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):  # infinite, of infinite: not a number
        return np.divide(sizes, sums, out=np.zeros_like(sizes), where=sums > 0), present & (sums > 0)


def _about(term: str) -> dict[str, str]:
    """Returns what each tag means, given what the term is."""
    return {tag_of(measure, split): f"{text}\n\n{term}" for measure, text in MEANINGS.items() for split in _GROUPS}
