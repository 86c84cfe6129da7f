"""Table: the log records of a run as columns of equal length, of which `pandas.DataFrame` makes a table in one call."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from trainer.reports.log import LogRecord, term_names

Columns: TypeAlias = dict[str, np.ndarray]

VALUES = ("raw", "weight", "weighted", "effective_weight", "multiplier", "violation", "grad_norm", "grad_cosine")


def terms_table(records: Iterable[LogRecord]) -> Columns:
    """Returns a row for each split, step and term; a value that a record does not have is nan.

    >>> values = {"terms/a/raw": 2.0, "terms/a/weight": 0.5, "terms/a/weighted": 1.0, "terms/b/weighted": 0.0}
    >>> table = terms_table([LogRecord("train", 10, values)])
    >>> table["term"], table["step"], table["raw"]
    (array(['a', 'b'], dtype='<U1'), array([10, 10]), array([ 2., nan]))
    """
    rows = [(record, name) for record in records for name in term_names(record.values)]
    numbers = {
        value: np.array([record.values.get(f"terms/{name}/{value}", math.nan) for record, name in rows])
        for value in VALUES
    }
    return {**_places([record for record, _ in rows]), "term": np.array([name for _, name in rows], str), **numbers}


def records_table(records: Sequence[LogRecord]) -> Columns:
    """Returns a row for each record, and a column for each tag; a value that a record does not have is nan.

    >>> table = records_table([LogRecord("train", 10, {"loss/total": 1.0}), LogRecord("eval", 10, {"speed": 2.0})])
    >>> table["split"], table["speed"]
    (array(['train', 'eval'], dtype='<U5'), array([nan,  2.]))
    """
    tags = dict.fromkeys(tag for record in records for tag in record.values)
    return {
        **_places(records),
        **{tag: np.array([record.values.get(tag, math.nan) for record in records]) for tag in tags},
    }


def _places(records: Sequence[LogRecord]) -> Mapping[str, np.ndarray]:
    return {
        "split": np.array([record.split for record in records], str),
        "step": np.array([record.step for record in records], np.int64),
    }
