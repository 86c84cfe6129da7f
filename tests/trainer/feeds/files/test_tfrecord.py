"""TFRecordSource: examples of all files by name, and a record that disagrees told by its file and number."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer import TFRecordSource


def example(**features):
    lists = {name: tf.train.Feature(float_list=tf.train.FloatList(value=value)) for name, value in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=lists)).SerializeToString()


@pytest.fixture
def write(tmp_path):
    """Writes a file of examples; the pattern of all."""

    def write(name, *records):
        with tf.io.TFRecordWriter(str(tmp_path / f"{name}.tfrecord")) as file:
            for record in records:
                file.write(record)
        return tmp_path / "*.tfrecord"

    return write


@pytest.fixture
def pattern(write):
    write("b", *(example(x=[i, i + 1], y=[-i]) for i in range(3, 5)))
    return write("a", *(example(x=[i, i + 1], y=[-i]) for i in range(3)))


@pytest.mark.parametrize("resident", [True, False])
def test_examples_of_all_files_follow_one_another(pattern, resident):
    found = TFRecordSource(file=pattern, resident=resident).table.all()
    assert found["inputs"].tolist() == [[i, i + 1] for i in range(5)]
    assert found["targets"].tolist() == [-i for i in range(5)]


def test_rows_of_any_shape_are_read_into_their_places(pattern):
    table = TFRecordSource(file=pattern, resident=False, inputs={"a": "x", "b": "y"}, targets="x").table
    out = {
        "inputs": {"a": np.zeros([2, 2, 2], np.float32), "b": np.zeros([2, 2], np.float32)},
        "targets": np.zeros([2, 2, 2], np.float32),
    }
    table.read(np.array([[4, 0], [0, 1]]), out)
    assert out["inputs"]["b"].tolist() == [[-4, 0], [0, -1]]
    assert out["inputs"]["a"].tolist() == out["targets"].tolist() == [[[4, 5], [0, 1]], [[0, 1], [1, 2]]]


def test_a_record_that_disagrees_is_told(write, pattern):
    write("c", example(x=[1, 2], y=[1]), example(x=[1, 2, 3], y=[1]))
    with pytest.raises(ConfigurationError, match=r"c.tfrecord, record 2: does not fit: .*x"):
        TFRecordSource(file=pattern).table.all()


def test_bytes_and_other_names_are_asked_for(write):
    raw = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"ab"]))
    record = tf.train.Example(features=tf.train.Features(feature={"raw": raw})).SerializeToString()
    with pytest.raises(ConfigurationError, match=r"record 1 \(bytes are known by TFRecordSource.schema only\)"):
        TFRecordSource(file=write("r", record), inputs="raw")
    found = TFRecordSource(file=write("r", record), inputs="raw", schema={"raw": ("uint8", (2,))}).table.all()
    assert found["inputs"].tolist() == [[97, 98]]


def test_files_without_records_and_wrong_schemas_are_refused(write):
    with pytest.raises(ConfigurationError, match="there is no record"):
        TFRecordSource(file=write("e"))
    with pytest.raises(
        ConfigurationError,
        match=r"TFRecordSource.schema .*expected a type such as 'int64'|expected an instance of Mapping",
    ):
        TFRecordSource(file=write("e"), schema={"x": "number"})


def test_facts_tell_what_is_made_of_which_feature(pattern):
    facts = TFRecordSource(file=pattern).facts(seed=None)
    swapped = TFRecordSource(file=pattern, inputs="y", targets="x").facts(seed=None)
    assert (facts["inputs"], swapped["inputs"]) == ("x, float32 [2]", "y, float32 []")


def test_facts_tell_a_content(write, pattern):
    before = TFRecordSource(file=pattern).facts(seed=None)
    write("a", *(example(x=[i, i + 2], y=[-i]) for i in range(3)))
    assert TFRecordSource(file=pattern).facts(seed=None) != before
