"""Records: the bytes that TensorFlow's own writer writes."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from trainer.reports.tensorboard.records import Record, checksum


@pytest.fixture(scope="module")
def as_tensorflow_writes(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "records"

    def write(records):
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(record.tobytes())
        return path.read_bytes()

    return write


@settings(deadline=None)
@given(content=of_numpy.arrays(np.uint8, st.integers(4, 70)))
def test_one_is_the_bytes_of_the_writer_of_tensorflow(as_tensorflow_writes, content):
    assert Record(content).frame.tobytes() == as_tensorflow_writes([content])


@pytest.mark.parametrize("length", [255, 256, 257, 100_000])
def test_a_long_one_is_too(as_tensorflow_writes, length):
    content = np.random.default_rng(0).integers(0, 256, length, np.uint8)
    assert Record(content).frame.tobytes() == as_tensorflow_writes([content])


@pytest.mark.parametrize("count", [1, 255, 256, 257, 1000])
def test_others_with_some_fields_of_their_own_are_too(as_tensorflow_writes, count):
    rng = np.random.default_rng(0)
    content = rng.integers(0, 256, 5000, np.uint8)
    fields = [
        (np.arange(9), rng.integers(0, 256, [count, 9], np.uint8)),
        (np.array([100, 50, 4999]), rng.integers(0, 256, [count, 3], np.uint8)),
        (np.arange(200, 210), rng.integers(0, 256, [1, 10], np.uint8)),
    ]
    records = np.tile(content, [count, 1])
    for places, own in fields:
        records[:, places] = own
    varying = Record(content, np.concatenate([places for places, _ in fields]))
    assert b"".join(block.tobytes() for block in varying.others(fields, count)) == as_tensorflow_writes(records)


def test_the_checksum_of_the_standards_example():
    assert checksum(np.zeros(32, np.uint8)) == 0x8A9136AA  # RFC 3720, B.4
