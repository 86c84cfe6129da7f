"""Records: each is read by its number, whatever its file; a damaged one is told by its file and number."""

import threading

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.feeds.files.records import Records


@pytest.fixture
def files(tmp_path):
    """Three files of 4, 0 and 3 records, each the number that it has among all."""
    paths, number = [tmp_path / f"{name}.tfrecord" for name in "abc"], 0
    for path, count in zip(paths, (4, 0, 3), strict=True):
        with tf.io.TFRecordWriter(str(path)) as file:
            for _ in range(count):
                file.write(str(number).encode() * (number + 1))
                number += 1
    return paths


def test_any_record_is_read_by_its_number(files):
    records = Records(files)
    assert records.count == 7
    assert records.read(np.array([6, 0, 4, 0])) == [b"6" * 7, b"0", b"4" * 5, b"0"]
    assert records.read(np.arange(7)) == [*tf.data.TFRecordDataset([*map(str, files)]).as_numpy_iterator()]
    assert records.called(4).endswith("c.tfrecord, record 1")


def test_several_threads_read_at_once(files):
    records, found = Records(files), []
    threads = [threading.Thread(target=lambda: found.append(records.read(np.arange(7)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [records.read(np.arange(7))] * 8


def test_a_digest_tells_a_content(files):
    before = Records(files).digest(7)
    content = bytearray(files[2].read_bytes())
    with tf.io.TFRecordWriter(str(files[2])) as file:
        for text in (b"4" * 5, b"5" * 6, b"7" * 7):
            file.write(text)
    assert Records(files).digest(7) != before
    files[2].write_bytes(content)
    assert Records(files).digest(7) == before


def test_a_damaged_record_is_told_by_its_number(files):
    content = bytearray(files[0].read_bytes())
    content[17 + 12] ^= 1  # the first byte of the second record
    files[0].write_bytes(content)
    records = Records(files)
    assert records.read(np.array([0, 2])) == [b"0", b"222"]
    with pytest.raises(ConfigurationError, match=r"a.tfrecord, record 2 cannot be read: corrupted record"):
        records.read(np.array([0, 1, 2]))


def test_a_file_cut_short_and_one_of_another_kind_are_refused(files):
    files[0].write_bytes(files[0].read_bytes()[:-5])
    with pytest.raises(ConfigurationError, match=r"a.tfrecord ends within record 4; expected the whole file"):
        Records(files)
    with tf.io.TFRecordWriter(str(files[0]), "GZIP") as file:
        file.write(b"0" * 100)
    with pytest.raises(ConfigurationError, match=r"a.tfrecord is no TFRecord file, or a compressed one"):
        Records(files)
