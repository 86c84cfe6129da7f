"""Columns: chosen by tag and added, with what is not there."""

import numpy as np

from trainer.reports.columns import columns_of, with_columns
from trainer.reports.log import LogRecords

RECORDS = LogRecords("train", np.array([1, 2]), ("a", "b"), np.array([[1.0, 2.0], [3.0, 4.0]]))


def test_values_come_in_the_order_of_the_tags_and_those_of_others_are_not_there():
    values, present = columns_of(RECORDS, ["b", "gone", "a"])
    assert values.tolist() == [[2.0, 0.0, 1.0], [4.0, 0.0, 3.0]]
    assert present.tolist() == [[True, False, True]] * 2


def test_what_is_added_is_in_the_records_that_have_it():
    found = with_columns(RECORDS, ["c"], np.array([[5.0], [6.0]]), np.array([[True], [False]]))
    assert [record.values for record in found] == [{"a": 1.0, "b": 2.0, "c": 5.0}, {"a": 3.0, "b": 4.0}]
    values, present = columns_of(found, ["c", "b"])
    assert values[0].tolist() == [5.0, 2.0]
    assert present.tolist() == [[True, True], [False, True]]
