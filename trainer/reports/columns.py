"""Columns: the values of log records by tag, of which some may not be there, chosen and added."""

from collections.abc import Sequence

import numpy as np

from trainer.reports.log import LogRecords


def columns_of(records: LogRecords, tags: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the values of some tags, and which of them are there: `[records, tags]`."""
    place = {tag: i for i, tag in enumerate(records.tags)}
    known = [i for i, tag in enumerate(tags) if tag in place]
    chosen = [place[tags[i]] for i in known]
    values, present = np.zeros([len(records), len(tags)]), np.zeros([len(records), len(tags)], bool)
    values[:, known] = records.values[:, chosen]
    present[:, known] = True if records.present is None else records.present[:, chosen]
    return values, present


def with_columns(records: LogRecords, tags: Sequence[str], values: np.ndarray, present: np.ndarray) -> LogRecords:
    """Returns records with the values `[records, tags]` of further tags, and which of them are there."""
    own = np.ones(records.values.shape, bool) if records.present is None else records.present
    return LogRecords(
        records.split,
        records.steps,
        (*records.tags, *tags),
        np.hstack([records.values, values]),
        np.hstack([own, present]),
    )
