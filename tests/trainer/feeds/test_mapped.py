"""Rows of a memory map: those and no others are asked for, where the file does not fit into memory."""

import mmap

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from trainer.feeds.mapped import ask_for
from trainer.feeds.table import ArrayTable

COLUMNS, ROWS = 700, 64  # 2,800 bytes a row, so that most pages have parts of two rows


class Recording(mmap.mmap):
    """A memory map that notes what it is advised."""

    def __new__(cls, *arguments, **options):
        recording = super().__new__(cls, *arguments, **options)
        recording.asked = []
        return recording

    def madvise(self, advice, *place):
        self.asked.append((advice, *place))
        super().madvise(advice, *place)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("mapped") / "rows.npy"
    np.save(path, np.arange(ROWS * COLUMNS, dtype=np.float32).reshape(ROWS, COLUMNS))
    return path


def recorded(path):
    """The recording map of a file, and the array in it."""
    with path.open("rb") as file:
        recording = Recording(file.fileno(), 0, access=mmap.ACCESS_READ)
    return recording, np.ndarray([ROWS, COLUMNS], np.float32, buffer=recording, offset=128)


@pytest.fixture
def small_memory(monkeypatch):
    monkeypatch.setattr("trainer.feeds.mapped.available_memory", lambda: 0.0)


@pytest.mark.usefixtures("small_memory")
@hypothesis.settings(
    max_examples=60, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@hypothesis.given(
    rows=st.lists(st.integers(0, 39), min_size=1, max_size=30), first=st.integers(0, 20), axes=st.integers(1, 2)
)
def test_just_the_pages_of_the_rows_are_asked_for_once_each(path, rows, first, axes):
    recording, array = recorded(path)
    asked_rows = np.array(rows).reshape([1] * (axes - 1) + [-1])
    ask_for(array[first : first + 40], asked_rows)
    (first_advice, *asked) = recording.asked
    assert first_advice == (mmap.MADV_RANDOM,)
    pages = [page for _, start, size in asked for page in range(start, start + size, mmap.PAGESIZE)]
    bytes_of = [128 + 4 * COLUMNS * (first + row) + np.arange(4 * COLUMNS) for row in set(rows)]
    assert sorted(pages) == sorted({int(one) // mmap.PAGESIZE * mmap.PAGESIZE for row in bytes_of for one in row})
    assert {advice for advice, *_ in asked} == {mmap.MADV_WILLNEED}


def test_a_file_that_fits_into_memory_is_left_to_the_system(path):
    recording, array = recorded(path)
    ask_for(array, np.arange(3))
    assert recording.asked == []


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize(
    "other",
    [
        lambda array: array.copy(),
        lambda array: array.T,
        lambda array: array[::2],
        lambda array: np.zeros([ROWS, 0]),
        lambda array: np.float32(1) + array[:, :1],
    ],
    ids=["a copy", "transposed", "every other row", "nothing in a row", "computed"],
)
def test_what_is_no_part_of_a_memory_map_row_after_row_is_left_alone(path, other):
    recording, array = recorded(path)
    ask_for(other(array), np.arange(3))
    assert recording.asked == []
    ask_for(array, np.arange(3))
    assert recording.asked


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_that_were_asked_for_are_read_as_ever(tmp_path, dtype):
    values = np.random.default_rng(0).normal(size=(500, 3, 70)).astype(dtype)
    np.save(tmp_path / "x.npy", values)
    rows = np.array([[3, 499], [0, 3]])
    out = np.empty([2, 2, 3, 70], np.float32)
    ArrayTable({"inputs": np.load(tmp_path / "x.npy", mmap_mode="r")}).read(rows, {"inputs": out})
    np.testing.assert_array_equal(out, values[rows].astype(np.float32))


@pytest.mark.usefixtures("small_memory")
def test_rows_beyond_what_32_bits_hold_are_asked_for_at_their_place(tmp_path):
    rows, columns = 3 * 2**20, 256  # 3 GiB, of which the disk holds next to nothing
    with (tmp_path / "sparse").open("w+b") as file:
        file.truncate(4 * rows * columns)
        recording = Recording(file.fileno(), 0, access=mmap.ACCESS_READ)
    ask_for(np.ndarray([rows, columns], np.float32, buffer=recording), np.array([0, rows - 1], np.int32))
    assert [start for _, start, _ in recording.asked[1:]] == [0, 4 * rows * columns - mmap.PAGESIZE]
