"""Image tables: each file is decoded for its row, on several threads, and a wrong one is told by its name."""

import threading

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer.feeds.files.image_table import ImageTable


@pytest.fixture
def files(tmp_path):
    """Files of which each holds its number."""
    paths = [tmp_path / f"{i:02}.txt" for i in range(30)]
    for number, path in enumerate(paths):
        path.write_text(str(number))
    return paths


@pytest.fixture
def table(files):
    labels = {"targets": np.arange(30) * 10}
    return ImageTable({"inputs": files}, lambda row: {"inputs": numbered(files[row])}, arrays=labels)


def numbered(path):
    return np.full([2, 3], int(path.read_text()), np.float32)


def test_rows_of_any_shape_have_their_files_and_their_labels(table):
    out = {"inputs": np.empty([2, 2, 2, 3], np.float32), "targets": np.empty([2, 2], np.int64)}
    table.read(np.array([[5, 0], [29, 5]]), out)
    assert out["inputs"][..., 0, 0].tolist() == [[5, 0], [29, 5]]
    assert out["targets"].tolist() == [[50, 0], [290, 50]]


def test_no_thread_is_left_behind(table):
    before = threading.active_count()
    assert table.all()["inputs"].shape == (30, 2, 3)
    assert threading.active_count() == before


def test_facts_tell_a_name_a_size_and_a_content(table, files):
    before = table.facts()
    files[7].write_text("8")
    changed = table.facts()
    assert changed["inputs"] != before["inputs"]
    files[7].write_text("7")
    assert table.facts() == before
    assert before["targets"].startswith("int64 [30], digest")


def test_an_image_of_another_shape_is_told_at_its_row(files):
    table = ImageTable({"inputs": files}, lambda row: {"inputs": np.zeros([2, 2 + (row == 9)], np.float32)}, arrays={})
    with pytest.raises(ConfigurationError, match=r"09.txt has the shape \(2, 3\), and .*00.txt has \(2, 2\)"):
        table.all()
