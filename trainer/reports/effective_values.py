"""Effective values: the weighted value of each term times the factor of a balancer, which is what a run descends along.

Records have the effective weight, the weight times the factor, and the weighted value of the total, in which no factor
is. A share of what drives training is one of effective values.
"""

import numpy as np

from trainer.reports.columns import columns_of, with_columns
from trainer.reports.log import LogRecords, term_names

_EFFECTIVE = "/effective_weight"


def with_effective_values(records: LogRecords) -> LogRecords:
    """Returns records with `terms/<name>/effective_value` of each term that has an effective weight.

    >>> from trainer.reports.log import LogRecord
    >>> values = {"terms/a/weighted": 3.0, "terms/a/weight": 0.5, "terms/a/effective_weight": 2.0}
    >>> with_effective_values(LogRecords.of(LogRecord("train", 1, values))).last.values["terms/a/effective_value"]
    12.0
    """
    if not any(tag.endswith(_EFFECTIVE) for tag in records.tags):
        return records
    known = {*records.tags}
    names = [name for name in term_names(records.tags) if f"terms/{name}{_EFFECTIVE}" in known]
    (weighted, are_there), (weights, _), (effective, are_balanced) = (
        columns_of(records, [f"terms/{name}/{what}" for name in names])
        for what in ("weighted", "weight", "effective_weight")
    )
    # By the factor, and not of the raw value: a record's weighted value has 0 for steps that counted nothing of a term.
    with np.errstate(invalid="ignore"):  # infinite times 0
        factors = np.divide(effective, weights, out=np.zeros_like(weights), where=weights != 0)
        values = weighted * factors
    return with_columns(records, [f"terms/{name}/effective_value" for name in names], values, are_there & are_balanced)
