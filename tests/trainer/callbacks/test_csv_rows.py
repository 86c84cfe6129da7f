"""CSV rows: a file that was written past a checkpoint is cut back to it, and later rows have the same columns."""

import keras
import pytest

from trainer.callbacks import csv_rows


@pytest.fixture
def logger(tmp_path):
    """Makes a CSVLogger that has written so many rows."""

    def make(rows, begins=True):
        callback = keras.callbacks.CSVLogger(tmp_path / "log.csv")
        if begins:
            callback.on_train_begin()
            for epoch in range(rows):
                callback.on_epoch_end(epoch, {"loss": 0.5, "val_loss": 0.25})
        return callback

    return make


def rows(tmp_path):
    return (tmp_path / "log.csv").read_text().split()


def test_later_rows_are_dropped_and_come_once(logger, tmp_path):
    size = csv_rows.bytes_of(logger(2))
    logger(4)
    resumed = logger(0, begins=False)
    resumed.keys = ["loss", "val_loss"]
    assert csv_rows.resume(resumed, size) is None
    resumed.on_epoch_end(2, {"val_loss": 1, "loss": 2, "more": 3})
    resumed.on_train_end()
    assert rows(tmp_path) == ["epoch,loss,val_loss", "0,0.5,0.25", "1,0.5,0.25", "2,2,1"]


def test_a_file_without_any_row_gets_its_header(logger, tmp_path):
    resumed = logger(1)
    assert csv_rows.resume(resumed, 0) is None
    resumed.on_epoch_end(0, {"loss": 1})
    assert rows(tmp_path)[0] == "epoch,loss,val_loss"


def test_rows_that_are_missing_are_told_of(logger, tmp_path):
    callback = logger(2)
    size = csv_rows.bytes_of(callback)
    (tmp_path / "log.csv").unlink()
    assert "log.csv has 0 bytes and had" in csv_rows.resume(callback, size)
    callback.on_epoch_end(2, {"loss": 1, "val_loss": 2})
    assert rows(tmp_path) == ["epoch,loss,val_loss", "2,1,2"]


def test_other_callbacks_have_no_file():
    assert csv_rows.bytes_of(keras.callbacks.EarlyStopping()) is None
