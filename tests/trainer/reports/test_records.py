"""Records: the bytes that TensorFlow's own writer writes."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from trainer.reports.records import checksums, framed


@pytest.fixture(scope="module")
def as_tensorflow_writes(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "records"

    def write(records):
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(record.tobytes())
        return path.read_bytes()

    return write


@given(records=of_numpy.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(4, 70))))
def test_they_are_the_bytes_of_the_writer_of_tensorflow(as_tensorflow_writes, records):
    assert framed(records).tobytes() == as_tensorflow_writes(records)


def test_long_records_that_differ_little_are_too(as_tensorflow_writes):
    rng = np.random.default_rng(0)
    records = np.tile(rng.integers(0, 256, 5000, np.uint8), [100, 1])
    records[:, 100:4000:50] = rng.integers(0, 256, [100, 78])
    assert framed(records).tobytes() == as_tensorflow_writes(records)


def test_the_checksum_of_the_standards_example():
    assert checksums(np.zeros([1, 32], np.uint8)) == [0x8A9136AA]  # RFC 3720, B.4
