"""TfdsSource: the examples of a split as they were prepared, of tensorflow-datasets itself or of a stand-in for it."""

import sys
import types

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer import TfdsSource

IMAGES = np.random.default_rng(0).integers(0, 256, [9, 4, 6, 3], np.uint8)


def record(number):
    image = tf.train.BytesList(value=[tf.io.encode_png(IMAGES[number]).numpy()])
    label = tf.train.Int64List(value=[number % 2])
    features = {"image": tf.train.Feature(bytes_list=image), "label": tf.train.Feature(int64_list=label)}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


class Features:
    """The features of a builder: those that a record has, and one of which no example is like another."""

    def items(self):
        return [("image", None), ("label", types.SimpleNamespace(names=["cat", "dog"]))]

    def get_tensor_info(self):
        kinds = {
            "image": ((4, 6, 3), np.uint8),
            "label": ((), np.int64),
            "text": ((), object),
            "tags": ((None,), np.int64),
        }
        return {name: types.SimpleNamespace(shape=shape, dtype=dtype) for name, (shape, dtype) in kinds.items()}

    def deserialize_example(self, content):
        lists = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}
        parsed = tf.io.parse_single_example(content, lists)
        return {**parsed, "image": tf.io.decode_png(parsed["image"])}


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """A module that stands in for tensorflow-datasets, with the dataset `toy` in two files, of 5 and 4 examples."""
    for shard, numbers in enumerate((range(5), range(5, 9))):
        with tf.io.TFRecordWriter(str(tmp_path / f"toy-train.tfrecord-{shard}-of-2")) as file:
            for number in numbers:
                file.write(record(number))

    def part(shard, skip, take, count):
        name = str(tmp_path / f"toy-train.tfrecord-{shard}-of-2")
        return types.SimpleNamespace(filename=name, skip=skip, take=take, examples_in_shard=count)

    splits = {
        "train": [part(0, 0, 5, 5), part(1, 0, -1, 4)],
        "train[3:7]": [part(0, 3, -1, 5), part(1, 0, 2, 4)],
        "short": [part(0, 0, 6, 6)],
        "arrays": [types.SimpleNamespace(filename="toy.array_record-0-of-1")],
    }

    def builder(name, data_dir):
        if name != "toy":
            raise LookupError(f"Dataset {name} not found")
        info = types.SimpleNamespace(
            supervised_keys=("image", "label"),
            features=Features(),
            splits={name: types.SimpleNamespace(file_instructions=found) for name, found in splits.items()},
        )
        return types.SimpleNamespace(info=info, download_and_prepare=lambda: None)

    module = types.ModuleType("tensorflow_datasets")
    module.builder = builder
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", module)


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("resident", [True, False])
@pytest.mark.parametrize(("split", "rows"), [("train", range(9)), ("train[3:7]", range(3, 7))])
def test_examples_of_a_split_are_as_they_were_prepared(split, rows, resident):
    source = TfdsSource(name="toy", split=split, resident=resident)
    found = source.table.all()
    np.testing.assert_array_equal(found["inputs"], IMAGES[rows], strict=True)
    assert found["targets"].tolist() == [number % 2 for number in rows]
    assert source.class_names == {"targets": ("cat", "dog")}
    for targets in (["label"], {"label": "label"}):
        named = TfdsSource(name="toy", split=split, inputs="image", targets=targets)
        assert named.class_names == {"targets.label": ("cat", "dog")}


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({"name": "tody"}, "TfdsSource.name is 'tody': .*LookupError: Dataset tody not found"),
        ({"split": "test"}, r"TfdsSource.split is 'test'; expected one of train, .*such as 'train\[:80%\]'"),
        ({"split": "arrays"}, "is prepared in toy.array_record-0-of-1; expected TFRecord files"),
        ({"split": "short"}, "the files of 'toy' have 5 records, and its description says 6"),
        (
            {"inputs": "picture"},
            "TfdsSource.inputs is 'picture', which is not in 'toy'; known: image, label, tags, text",
        ),
        ({"inputs": "tags"}, "'tags' is .*expected a tensor whose shape is the same for all examples"),
        ({"inputs": "text"}, "'text' is of the type object"),
    ],
)
def test_what_is_not_there_is_refused(settings, answer):
    with pytest.raises(ConfigurationError, match=answer):
        TfdsSource(**{"name": "toy", **settings})


def test_it_is_told_how_to_install_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(
        ConfigurationError, match="are read with tensorflow-datasets, which is not installed; `pip install"
    ):
        TfdsSource(name="mnist")
