"""Features: numbers as they were written, in the types and shapes of the schema or of the first record."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from objectives import ConfigurationError
from objectives.annotations import mismatch
from trainer.feeds.files.features import Spec, features_of, parse

PIXELS = np.random.default_rng(0).integers(0, 256, [4, 6, 3], np.uint8)


def record(**features):
    """An example with lists of floats, of whole numbers, or bytes."""

    def feature(value):
        if isinstance(value, bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        values = np.ravel(value)
        if values.dtype.kind == "f":
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    made = {name: feature(value) for name, value in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def read(records, schema=None):
    return parse(records, features_of(records[0], schema or {}, "f, record 1"))


def test_without_a_schema_lists_of_numbers_are_as_they_are():
    found = read([record(x=[1.5, 2.5], label=3, raw=b"ab"), record(x=[3.5, 4.5], label=4, raw=b"cd")])
    assert {*found} == {"x", "label"}
    np.testing.assert_array_equal(found["x"], np.array([[1.5, 2.5], [3.5, 4.5]], np.float32), strict=True)
    np.testing.assert_array_equal(found["label"], np.array([3, 4]), strict=True)


def test_a_schema_gives_types_and_shapes():
    grid = np.arange(6.0).reshape(2, 3)
    schema = {"grid": ("float32", (2, 3)), "label": "int32", "on": "bool", "raw": ("uint8", (4, 6, 3))}
    found = read([record(grid=grid, label=3, on=1, raw=PIXELS.tobytes())], schema)
    np.testing.assert_array_equal(found["grid"][0], grid.astype(np.float32), strict=True)
    np.testing.assert_array_equal(found["raw"][0], PIXELS, strict=True)
    assert (found["label"].dtype, found["on"].tolist()) == (np.int32, [True])


def test_an_encoded_image_is_decoded_and_scaled():
    found = read([record(image=png(PIXELS))], {"image": ("image", (4, 6, 3))})["image"]
    np.testing.assert_array_equal(found[0], PIXELS.astype(np.float32) * np.float32(1 / 255), strict=True)
    assert read([record(image=png(PIXELS))], {"image": ("image", (2, 2, 1))})["image"].shape == (1, 2, 2, 1)


@pytest.mark.parametrize(
    ("first", "second", "schema", "answer"),
    [
        ({"x": [1.0, 2.0]}, {"x": [1.0]}, {}, "its 'x' has 1 value of the kind float_list; expected 2"),
        ({"x": [1.0]}, {"z": [1.0]}, {}, "it has no 'x'; .*known: z"),
        ({"x": [1.0]}, {"x": [1]}, {}, "its 'x' has 1 value of the kind int64_list; expected 1 of float_list"),
        ({"x": 1}, {"x": 300}, {"x": "uint8"}, "its 'x' has numbers that uint8 cannot hold"),
        (
            {"x": b"ab"},
            {"x": b"abc"},
            {"x": ("uint8", (2,))},
            "its 'x' has 3 bytes; expected 2, for uint8",
        ),
        ({"x": png(PIXELS)}, {"x": b"no"}, {"x": ("image", (2, 2, 3))}, "its 'x' is no intact image"),
    ],
)
def test_a_record_that_disagrees_is_refused(first, second, schema, answer):
    with pytest.raises(ConfigurationError, match=answer):
        read([record(**first), record(**second)], schema)


@pytest.mark.parametrize(
    ("held", "schema", "answer"),
    [
        ({"x": 1.0}, {"xx": "float32"}, "schema has 'xx', which f, record 1 has not; did you mean 'x'"),
        ({"x": 1.0}, {"x": "int64"}, "schema has int64 for 'x', and f, record 1 holds floats there"),
        ({"x": 1.0}, {"x": ("image", (2, 2, 3))}, "schema has the image 'x', and f, record 1 holds a float_list there"),
    ],
)
def test_a_schema_that_the_first_record_does_not_have_is_refused(held, schema, answer):
    with pytest.raises(ConfigurationError, match=answer):
        features_of(record(**held), schema, "f, record 1")


def test_what_is_no_example_is_refused():
    for content in (b"\xff\xff", b""):
        with pytest.raises(ConfigurationError, match="f, record 1 is no tf.train.Example"):
            features_of(content, {}, "f, record 1")


@pytest.mark.parametrize("spec", ["float", ("image", (2, 2)), ("image", (2, 2, 2)), ("uint8", 3), ("uint8",), 3])
def test_a_spec_that_is_none_is_refused(spec):
    assert "expected a type such as 'int64' for one number" in mismatch(spec, Spec)


@pytest.mark.parametrize("spec", ["float32", ("image", (2, 2, 1)), ["uint8", [3]], ("bool", ())])
def test_types_with_shapes_are_specs(spec):
    assert mismatch(spec, Spec) is None
