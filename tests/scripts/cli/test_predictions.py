"""Predictions: in files of each kind, completely or not at all, without more in memory than a batch."""

import numpy as np
import pytest

from objectives import ConfigurationError
from termwise.cli.predictions import predictions
from trainer.storage.files import StorageError

SHAPES = {"head": (None, 2), "map": (None, 2, 3)}


@pytest.fixture
def write(tmp_path):
    """Writes so many examples in batches of two, and returns them."""

    def run(name, *outputs, size=5, files=()):
        rng = np.random.default_rng(0)
        whole = {key: rng.normal(size=[size, *SHAPES[key][1:]]).astype(np.float32) for key in outputs}
        shapes = {key: SHAPES[key] for key in outputs}
        with predictions(tmp_path / name, size=size, outputs=shapes, names=files) as written:
            for start in range(0, size, 2):
                written.write({key: values[start : start + 2] for key, values in whole.items()})
        return whole

    return run


def test_one_output_is_an_array(write, tmp_path):
    whole = write("p.npy", "map")
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), whole["map"])


def test_several_outputs_are_an_archive_or_a_folder(write, tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("p.npz", "folder", "empty"):
        whole = write(name, "head", "map", files=list("abcde"))
        found = np.load(tmp_path / name) if name == "p.npz" else None
        for key, values in {**whole, "files": list("abcde")}.items():
            read = found[key] if found else np.load(tmp_path / name / f"{key}.npy")
            np.testing.assert_array_equal(read, values)


def test_a_table_has_a_row_for_each_example_and_numbers_that_are_read_back_exactly(write, tmp_path):
    whole = write("p.csv", "head", files=list("abcde"))
    lines = [line.split(",") for line in (tmp_path / "p.csv").read_text().splitlines()]
    assert lines[0] == ["file", "head_0", "head_1"]
    assert [line[0] for line in lines[1:]] == list("abcde")
    np.testing.assert_array_equal(np.array([line[1:] for line in lines[1:]], np.float32), whole["head"])


@pytest.mark.parametrize("name", ["p.npy", "p.npz", "p.csv", "folder"])
def test_after_an_error_everything_is_as_it_was(tmp_path, name):
    if name != "folder":
        (tmp_path / name).write_text("before")
    with (
        pytest.raises(KeyError),
        predictions(tmp_path / name, size=3, outputs={"head": (None, 2)}) as written,
    ):
        written.write({"head": np.ones([2, 2])})
        raise KeyError
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == (
        [] if name == "folder" else [(name, "before")]
    )


def test_where_the_system_refuses_to_write_the_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StorageError, match="cannot be written: Not a directory"),
        predictions(tmp_path / "file" / "p.npy", size=3, outputs={"head": (None, 2)}),
    ):
        pass


def test_outputs_of_varying_shapes_are_no_array(tmp_path):
    with (
        pytest.raises(ConfigurationError, match=r"the output 'head' has the shape \[5\] for some examples and \[2\]"),
        predictions(tmp_path / "p.npy", size=2, outputs={"head": (None, None)}) as written,
    ):
        written.write({"head": np.ones([1, 2])})
        written.write({"head": np.ones([1, 5])})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("p.npy", "holds one array, and the model has the outputs head, map; expected p.npz, or a folder"),
        ("p.csv", r"the output 'map' has the shape \[examples, 2, 3\]; expected p.npz"),
        ("p.nzp", "is of no known kind; did you mean '.npz'"),
        ("full", "is there already; expected a folder that is empty or new"),
    ],
)
def test_outputs_that_do_not_fit_into_a_file_are_told(tmp_path, name, said):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    with pytest.raises(ConfigurationError, match=said), predictions(tmp_path / name, size=1, outputs=SHAPES):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
