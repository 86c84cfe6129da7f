"""Records on disk, in a few files, for the tests of datasets."""

import pytest
import tensorflow as tf


@pytest.fixture(scope="session")
def records(tmp_path_factory):
    """Six files of ten records each, the numbers up to 60 as text; the pattern of their names."""
    folder = tmp_path_factory.mktemp("records")
    for shard in range(6):
        with tf.io.TFRecordWriter(str(folder / f"s{shard}.tfrecord")) as file:
            for number in range(10 * shard, 10 * shard + 10):
                file.write(str(number).encode())
    return str(folder / "s*.tfrecord")


@pytest.fixture(scope="session")
def read_records(records):
    """Makes the dataset of the numbers in the files, which are read in another order each epoch."""

    def read(seed=3):
        files = tf.data.Dataset.list_files(records, shuffle=True, seed=seed)
        lines = files.interleave(
            tf.data.TFRecordDataset, cycle_length=3, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )
        return lines.shuffle(12, seed=seed).map(lambda line: tf.strings.to_number(line, tf.int64))

    return read
