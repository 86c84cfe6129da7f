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


@pytest.mark.parametrize(
    ("record", "answer"),
    [
        (example(x=[1, 2, 3], y=[1]), "its 'x' has 3 values of the kind float_list; expected 2 of float_list"),
        (example(x=[1, 2], y=[]), "its 'y' has 0 values of the kind float_list; expected 1"),
        (example(x=[1, 2]), "it has no 'y'; .*known: x"),
        (b"\xff\xff\xffnonsense", "it is no tf.train.Example"),
    ],
    ids=["longer", "empty", "without y", "nonsense"],  # the bytes of a proto are in any order
)
def test_a_record_that_disagrees_is_told(write, pattern, record, answer):
    write("c", example(x=[1, 2], y=[1]), record)
    with pytest.raises(ConfigurationError, match=f"c.tfrecord, record 2: {answer}"):
        TFRecordSource(file=pattern).table.all()


def test_bytes_and_other_names_are_asked_for(write):
    raw = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"ab"]))
    record = tf.train.Example(features=tf.train.Features(feature={"raw": raw})).SerializeToString()
    with pytest.raises(ConfigurationError, match=r"record 1 \(without raw, which TFRecordSource.schema describes\)"):
        TFRecordSource(file=write("r", record), inputs="raw")
    found = TFRecordSource(file=write("r", record), inputs="raw", schema={"raw": ("uint8", (2,))}).table.all()
    assert found["inputs"].tolist() == [[97, 98]]


@pytest.mark.parametrize("label", ["y", "label"])
def test_the_labels_of_images_are_not_taken_for_inputs(write, label):
    image = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"ab"]))
    number = tf.train.Feature(int64_list=tf.train.Int64List(value=[3]))
    record = tf.train.Example(features=tf.train.Features(feature={"x": image, label: number})).SerializeToString()
    with pytest.raises(
        ConfigurationError, match=rf"inputs is not given.*without x, which TFRecordSource.schema.* holds {label}"
    ):
        TFRecordSource(file=write("r", record))


def test_files_without_records_and_wrong_schemas_are_refused(write):
    with pytest.raises(ConfigurationError, match="there is no record"):
        TFRecordSource(file=write("e"))
    with pytest.raises(
        ConfigurationError,
        match=r"TFRecordSource.schema has 'x', which is 'number'; expected a type such as 'int64'",
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
