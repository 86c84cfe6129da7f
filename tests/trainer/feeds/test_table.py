"""Tables: any rows in any shape, in the types that a step computes in."""

import numpy as np
import pytest

from trainer.feeds.table import ArrayTable, SelectedRows, single


@pytest.fixture
def table():
    return ArrayTable({"inputs": {"x": np.arange(12.0).reshape(6, 2)}, "targets": np.arange(6)})


def test_an_example_has_no_axis_of_examples_and_doubles_are_single(table):
    assert (table.size, table.spec["inputs"]["x"].shape, table.spec["targets"].shape) == (6, (2,), ())
    assert table.spec["inputs"]["x"].dtype == np.float32
    assert table.bytes() == 6 * (2 * 4 + 8)


def test_rows_of_any_shape_are_read(table):
    out = {"inputs": {"x": np.empty([2, 2, 2], np.float32)}, "targets": np.empty([2, 2], np.int64)}
    table.read(np.array([[5, 0], [1, 1]]), out)
    assert out["targets"].tolist() == [[5, 0], [1, 1]]
    assert out["inputs"]["x"][0].tolist() == [[10, 11], [0, 1]]


def test_selected_rows_are_numbered_anew_and_differ_from_others(table):
    some, others = SelectedRows(table, np.array([1, 4])), SelectedRows(table, np.array([1, 5]))
    assert some.all()["targets"].tolist() == [1, 4]
    assert some.facts()["inputs.x"] == table.facts()["inputs.x"]
    assert some.facts() != others.facts()


@pytest.mark.parametrize(
    ("given", "expected"), [("<f8", "float32"), (">f4", "float32"), ("<i8", "int64"), ("?", "bool")]
)
def test_types_are_those_that_a_step_computes_in(given, expected):
    assert single(np.dtype(given)) == np.dtype(expected)
