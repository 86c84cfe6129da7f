"""Effective values: weighted values times factors, where both are known and nowhere else."""

import numpy as np

from trainer.reports.effective_values import with_effective_values
from trainer.reports.log import LogRecord, LogRecords


def effective(**values):
    """The effective values of one record of the terms `a` and `b`, by name."""
    tags = {f"terms/{tag.replace('_', '/', 1)}": value for tag, value in values.items()}
    found = with_effective_values(LogRecords.of(LogRecord("train", 1, tags))).last.values
    return {name: found[tag] for name in "ab" if (tag := f"terms/{name}/effective_value") in found}


def test_records_without_effective_weights_stay_as_they_are():
    records = LogRecords.of(LogRecord("train", 1, {"terms/a/weighted": 1.0}))
    assert with_effective_values(records) is records


def test_a_value_is_multiplied_by_the_factor_and_a_term_of_weight_0_has_none_to_speak_of():
    a = {"a_weighted": 6.0, "a_weight": 2.0, "a_effective_weight": 0.5}
    b = {"b_weighted": 0.0, "b_weight": 0.0, "b_effective_weight": 0.0}
    assert effective(**a, **b) == {"a": 1.5, "b": 0.0}


def test_a_step_that_counted_nothing_of_a_term_adds_nothing_for_it():
    """A record of two steps, of which one has a value of 4: its raw value is 4, its weighted value 2."""
    assert effective(a_raw=4.0, a_weighted=2.0, a_weight=1.0, a_effective_weight=3.0) == {"a": 6.0}


def test_a_record_that_lacks_an_effective_weight_has_no_value():
    tags = ("terms/a/weighted", "terms/a/weight", "terms/a/effective_weight")
    present = np.array([[True] * 3, [True, True, False]])
    found = with_effective_values(LogRecords("train", np.array([1, 2]), tags, np.ones([2, 3]), present))
    assert ["terms/a/effective_value" in record.values for record in found] == [True, False]
