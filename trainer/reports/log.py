"""Log: what is reported at a step, as a single record and as arrays of many."""

import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

# The most records in a block of those that are read one by one.
_BLOCK = 512


@dataclasses.dataclass(frozen=True)
class LogRecord:
    """The values that are reported at one step.

    If no value of a term was counted, it has no raw value, its count is 0, and it adds 0 to the total.

    Attributes:
      split: `train` or `eval`.
      step: the number of updates done.
      values: numbers by tag.
    """

    split: str
    step: int
    values: Mapping[str, float]

    def comparable(self, tag: str) -> float:
        """Returns a value for comparisons with other records; nan if it is missing or nothing was counted for it.

        A total that lacks one of its terms cannot be compared with others, and is nan too.

        >>> empty = {"terms/a/count": 0.0, "terms/a/weight": 1.0, "terms/a/weighted": 0.0}
        >>> record = LogRecord("eval", 9, {"loss/total": 1.0, "terms/b/raw": 1.0, **empty})
        >>> record.comparable("terms/b/raw"), record.comparable("terms/a/weighted"), record.comparable("loss/total")
        (1.0, nan, nan)
        """
        empty = _empty_means(self.values)
        lacking = [f"{name}/weighted" for name in empty]
        if any(self.values.get(f"{name}/weight") for name in empty):
            lacking.append("loss/total")
        return math.nan if tag in lacking else self.values.get(tag, math.nan)


@dataclasses.dataclass(frozen=True, eq=False)
class LogRecords:
    """Several records of one split with the same tags, as arrays: a run may have a record every few microseconds.

    Iterate over it for single records.

    Attributes:
      split: `train` or `eval`.
      steps: int64 `[records]`, the number of updates done at each record.
      tags: the names of the columns.
      values: `[records, tags]`.
      present: bool `[records, tags]`, False where a record has no such value; None if all records have all values.

    >>> records = LogRecords("train", np.array([10, 20]), ("loss/total",), np.array([[2.0], [1.0]]))
    >>> [record.step for record in records], records.last.values
    ([10, 20], {'loss/total': 1.0})
    """

    split: str
    steps: np.ndarray
    tags: tuple[str, ...]
    values: np.ndarray
    present: np.ndarray | None = None

    @classmethod
    def of(cls, record: LogRecord) -> "LogRecords":
        """Makes it of a single record."""
        return cls(record.split, np.array([record.step]), tuple(record.values), np.array([[*record.values.values()]]))

    @property
    def last(self) -> LogRecord:
        """The last record; there has to be one."""
        (record,) = self[-1:]
        return record

    def with_columns(self, values: Mapping[str, float]) -> "LogRecords":
        """Returns the records with these values added to each."""
        shape = [len(self), len(values)]
        present = None if self.present is None else np.hstack([self.present, np.ones(shape, bool)])
        columns = np.broadcast_to([*values.values()], shape)
        return LogRecords(self.split, self.steps, (*self.tags, *values), np.hstack([self.values, columns]), present)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, which: slice | np.ndarray) -> "LogRecords":
        present = None if self.present is None else self.present[which]
        return LogRecords(self.split, self.steps[which], self.tags, self.values[which], present)

    def __iter__(self) -> Iterator[LogRecord]:
        for i, (step, values) in enumerate(zip(self.steps.tolist(), self.values.tolist(), strict=True)):
            named = dict(zip(self.tags, values, strict=True))
            if self.present is not None:
                named = {tag: named[tag] for tag, present in zip(self.tags, self.present[i], strict=True) if present}
            yield LogRecord(self.split, step, named)


def blocks(records: Iterable[LogRecord]) -> Iterator[LogRecords]:
    """Yields single records as blocks of arrays, of stretches of one split with the same tags.

    At most one block of records is read ahead, and equal tags are one object, so that many blocks take little memory.

    >>> [len(block) for block in blocks(LogRecord("train", step, {"loss/total": 1.0}) for step in range(5))]
    [5]
    """
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    for (split, tags), group in itertools.groupby(records, key=lambda record: (record.split, tuple(record.values))):
        tags = known.setdefault(tags, tags)
        while found := [*itertools.islice(group, _BLOCK)]:
            values = np.array([[*record.values.values()] for record in found])
            yield LogRecords(split, np.array([record.step for record in found]), tags, values)


def is_count(tag: str) -> bool:
    """Returns whether a tag is that of a count of values.

    >>> is_count("terms/data/count"), is_count("terms/data/raw")
    (True, False)
    """
    return tag.startswith("terms/") and tag.endswith("/count")


def term_names(tags: Iterable[str]) -> list[str]:
    """Returns the names of the terms in some tags, each once, in the order of their weighted values.

    >>> term_names(["loss/total", "terms/b/raw", "terms/a/weighted", "terms/b/weighted"])
    ['a', 'b']
    """
    # A diagnosis has tags such as terms/<name>/not_finite/weighted besides.
    parts = [tag.split("/") for tag in tags]
    return [part[1] for part in parts if len(part) == 3 and part[0] == "terms" and part[2] == "weighted"]


def measured_values(values: Mapping[str, float], *kinds: str) -> dict[str, float]:
    """Returns the values of metrics and measures by what is behind the first part of their tag, or of one kind.

    >>> measured_values({"loss/total": 1.0, "metrics/auc": 0.5, "metrics/f1/cat": 0.25, "measures/cost": 3.0})
    {'auc': 0.5, 'f1/cat': 0.25, 'cost': 3.0}
    >>> measured_values({"loss/total": 1.0, "metrics/auc": 0.5, "measures/cost": 3.0}, "measures")
    {'cost': 3.0}
    """
    parts = ((tag.partition("/"), value) for tag, value in values.items())
    return {name: value for (kind, _, name), value in parts if kind in (kinds or ("metrics", "measures"))}


def tensor_names(tags: Iterable[str], term: str) -> list[str]:
    """Returns the names of the tensors of a term that reads several.

    >>> tensor_names(["terms/a/raw", "terms/a/count", "terms/a/encoder/conv/count"], "a")
    ['encoder/conv']
    """
    start = f"terms/{term}/"
    found = [tag for tag in tags if tag.startswith(start) and is_count(tag) and tag != f"{start}count"]
    return [tag.removeprefix(start).removesuffix("/count") for tag in found]


def without_empty_means(values: Mapping[str, float]) -> dict[str, float]:
    """Returns the values by tag, without raw values whose count is 0: a mean of nothing is no number.

    >>> without_empty_means({"terms/a/raw": 0.0, "terms/a/count": 0.0, "terms/b/raw": 0.0, "terms/b/count": 2.0})
    {'terms/a/count': 0.0, 'terms/b/raw': 0.0, 'terms/b/count': 2.0}
    """
    empty = {f"{name}/raw" for name in _empty_means(values)}
    return {tag: value for tag, value in values.items() if tag not in empty}


def _empty_means(values: Mapping[str, float]) -> list[str]:
    """Returns the names, such as `terms/data`, of the means for which nothing was counted."""
    return [tag.removesuffix("/count") for tag, value in values.items() if is_count(tag) and not value]
