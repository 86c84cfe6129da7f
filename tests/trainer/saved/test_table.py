"""The table: columns of equal length, a row for each split, step and term, and nan for what was not logged."""

import numpy as np

from trainer.reports.log import LogRecord
from trainer.saved.table import records_table, terms_table


def test_a_row_for_each_split_step_and_term():
    gradients = {"terms/a/grad_norm": 3.0, "terms/a/grad_cosine": -1.0}
    terms = {f"terms/{name}/{value}": 1.0 for name in "ab" for value in ("raw", "weight", "weighted")}
    table = terms_table([LogRecord("train", 5, {**terms, **gradients}), LogRecord("eval", 5, terms)])
    assert {column: len(values) for column, values in table.items()} == dict.fromkeys(table, 4)
    assert [*table] == [
        "split",
        "step",
        "term",
        "raw",
        "weight",
        "weighted",
        "effective_weight",
        "multiplier",
        "violation",
        "grad_norm",
        "grad_cosine",
    ]
    assert [*zip(table["split"], table["step"], table["term"], strict=True)] == [
        *(("train", 5, name) for name in "ab"),
        *(("eval", 5, name) for name in "ab"),
    ]
    np.testing.assert_array_equal(table["grad_norm"], [3.0, np.nan, np.nan, np.nan])


def test_a_run_without_records_has_the_same_columns():
    some = terms_table([LogRecord("train", 1, {"terms/a/raw": 1.0})])
    assert {name: len(values) for name, values in terms_table([]).items()} == dict.fromkeys(some, 0)
    assert {*records_table([])} == {"split", "step"}
