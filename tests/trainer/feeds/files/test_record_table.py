"""Record tables: what one decodes is put where it belongs, whatever the shape of the rows; facts name each feature."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.feeds.files.features import Feature
from trainer.feeds.files.record_table import RecordTable
from trainer.feeds.files.records import Records

FEATURES = {
    "x": Feature("x", "float_list", np.dtype("float64"), (2,)),
    "y": Feature("y", "int64_list", np.dtype("i8"), ()),
}


class Numbers(RecordTable):
    """Has the number of each record in all of its features, without reading it."""

    def _decoded(self, numbers):
        return {"x": np.stack([numbers, numbers + 0.5], axis=1), "y": numbers}


@pytest.fixture
def table(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as file:
        for number in range(7):
            file.write(bytes([number]))
    return Numbers(Records([tmp_path / "a.tfrecord"]), {"inputs": {"a": FEATURES["x"]}, "targets": FEATURES["y"]})


def test_rows_of_any_shape_are_put_into_the_parts_of_their_features(table):
    rows = np.array([[6, 0, 3]])
    out = {"inputs": {"a": np.empty([1, 3, 2], np.float32)}, "targets": np.empty([1, 3], np.int64)}
    table.read(rows, out)
    assert out["targets"].tolist() == rows.tolist()
    assert out["inputs"]["a"].tolist() == [[[6, 6.5], [0, 0.5], [3, 3.5]]]


def test_no_rows_are_read_without_decoding(table, monkeypatch):
    monkeypatch.setattr(Numbers, "_decoded", None)
    table.read(np.empty(0, np.int64), {})


def test_specs_and_facts_are_those_of_the_features(table):
    assert table.spec["inputs"]["a"] == tf.TensorSpec([2], tf.float32)
    facts = table.facts()
    assert list(facts) == ["records", "inputs.a", "targets"]
    assert (facts["inputs.a"], facts["targets"]) == ("x, float64 [2]", "y, int64 []")
