"""Restoring: a few elements tell where a restored iterator gives others; nothing long is read for that."""

import pytest
import tensorflow as tf

from trainer.feeds.restoring import restored_wrongly

Dataset = tf.data.Dataset


@pytest.fixture
def csv_file(tmp_path):
    """A file whose dataset TensorFlow 2.21 restores at another place."""
    path = tmp_path / "numbers.csv"
    path.write_text("a\n" + "".join(f"{i}\n" for i in range(30)))
    return str(path)


@pytest.fixture
def read_csv(csv_file):
    return lambda: tf.data.experimental.CsvDataset(csv_file, [tf.float32], header=True)


def test_what_is_restored_at_another_place_is_found_wherever_it_is(read_csv):
    assert restored_wrongly(read_csv()) == "CsvDatasetV2"
    assert restored_wrongly(read_csv().map(tf.abs).shuffle(9).repeat().batch(2)) == "MapDataset"
    assert restored_wrongly(Dataset.range(1).flat_map(lambda i: read_csv()).batch(2)) == "FlatMapDataset"
    assert restored_wrongly(Dataset.zip(Dataset.range(30), read_csv())) == "ZipDataset"


def test_others_are_not(read_records):
    files = Dataset.list_files("pyproject.toml", shuffle=True)
    for dataset in (
        read_records().repeat().batch(2),
        files.flat_map(tf.data.TextLineDataset).filter(lambda line: line != "").cache(),
        Dataset.range(2),
        Dataset.from_tensor_slices(tf.ragged.constant([[1.0], [2.0, 3.0]])).repeat(9),
        Dataset.range(9).window(2).map(lambda part: part),
    ):
        assert restored_wrongly(dataset) is None
