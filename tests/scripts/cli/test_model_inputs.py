"""The inputs of a model in files: what fits is read in parts, and what does not is refused with what is expected."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from objectives import ConfigurationError
from termwise.cli.model_inputs import open_examples

ONE = {"x": tf.TensorSpec([None, 3], tf.float32)}
TWO = {"ids": tf.TensorSpec([None], tf.int32), "size": tf.TensorSpec([None, 1], tf.float32)}
PICTURE = {"image": tf.TensorSpec([None, 4, 6, 3], tf.float32)}


@pytest.fixture
def opened(tmp_path):
    return lambda name, specs, **bindings: open_examples(tmp_path / name, specs, bindings)


def test_arrays_are_read_in_parts_and_widened(opened, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(15).reshape(5, 3))
    examples = opened("x.npy", ONE)
    assert examples.size == 5
    part = examples.read(3, 5)["x"]
    assert part.dtype == np.float32
    np.testing.assert_array_equal(part, [[9, 10, 11], [12, 13, 14]])


@pytest.mark.parametrize("names", [{"x": 0, "y": 1}, {"inputs": 0, "y": 1}, {"anything": 0}])
def test_the_only_input_is_found_by_its_name_a_usual_one_or_as_the_only_array(opened, tmp_path, names):
    arrays = (np.ones([2, 3]), np.zeros([7, 9]))
    np.savez(tmp_path / "data.npz", **{name: arrays[which] for name, which in names.items()})
    np.testing.assert_array_equal(opened("data.npz", ONE).read(0, 2)["x"], np.ones([2, 3]))


def test_several_inputs_are_found_by_their_names_in_an_archive_a_folder_and_a_table(opened, tmp_path):
    ids, size = np.array([4, 2]), np.array([[0.5], [1.5]])
    np.savez(tmp_path / "data.npz", ids=ids, size=size, targets=ids)
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "ids.npy", ids), np.save(tmp_path / "data" / "size.npy", size)
    (tmp_path / "data.csv").write_text("other,size,ids\n9,0.5,4\n9,1.5,2\n")
    for name in ("data.npz", "data", "data.csv"):
        read = opened(name, TWO).read(0, 2)
        assert {key: (value.dtype.name, value.tolist()) for key, value in read.items()} == {
            "ids": ("int32", [4, 2]),
            "size": ("float32", [[0.5], [1.5]]),
        }


def test_columns_of_a_table_are_those_that_the_run_read(opened, tmp_path):
    (tmp_path / "data.csv").write_text("a,b,y,c\n1,2,9,3\n")
    bound = {"train/CsvSource.inputs": ["c", "b", "a"]}
    np.testing.assert_array_equal(opened("data.csv", ONE, **bound).read(0, 1)["x"], [[3, 2, 1]])
    np.testing.assert_array_equal(
        opened("data.csv", ONE, **{"CsvSource.inputs": {"x": ["c", "b", "a"]}}).read(0, 1)["x"], [[3, 2, 1]]
    )
    inputs = {"size": ["b"], "ids": "y"}
    read = opened("data.csv", TWO, **{"CsvSource.inputs": inputs}).read(0, 1)
    assert (read["ids"].tolist(), read["size"].tolist()) == ([9], [[2.0]])
    with pytest.raises(
        ConfigurationError, match=r"has the columns a, b, y, c for the input 'x' .*float32 \[examples, 3"
    ):
        opened("data.csv", ONE)


def test_columns_in_an_order_that_nobody_knows_are_refused(opened, tmp_path):
    (tmp_path / "data.csv").write_text("c,b,a\n3,2,1\n")
    with pytest.raises(ConfigurationError, match="in which order .*; expected --gin_param='CsvSource.inputs = "):
        opened("data.csv", ONE, **{"CsvSource.targets": "y"})


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images" / "more").mkdir(parents=True)
    for name, grey in (("b.png", 51), ("more/a.jpg", 255)):
        Image.new("RGB", (6, 4), (grey,) * 3).save(tmp_path / "images" / name)


@pytest.mark.parametrize(("bindings", "white"), [({}, 1.0), ({"ImageFolderSource.max_value": 255.0}, 255.0)])
def test_images_are_read_as_the_run_read_them_in_the_order_of_their_names(opened, images, bindings, white):
    examples = opened("images", PICTURE, **bindings)
    assert examples.files == ["b.png", "more/a.jpg"]
    read = examples.read(0, 2)["image"]
    assert read.shape == (2, 4, 6, 3)
    np.testing.assert_allclose(read.mean(axis=(1, 2, 3)), [0.2 * white, white], rtol=1e-5)


def test_images_are_no_inputs_of_a_model_of_numbers(opened, images):
    with pytest.raises(ConfigurationError, match=r"holds images, and the model takes 'x': float32 \[examples, 3\]"):
        opened("images", ONE)


@pytest.mark.parametrize(
    ("array", "specs", "said"),
    [
        (np.ones([5, 2]), ONE, r"the input 'x' is float64 \[5, 2\]; expected float32 \[examples, 3\]"),
        (np.ones([3]), ONE, r"the input 'x' is float64 \[3\]; expected float32 \[examples, 3\]"),
        (np.array([["a"] * 3]), ONE, "does not become float32 without a loss"),
        (np.array([1.5]), {"ids": TWO["ids"]}, "does not become int32 without a loss; expected int32"),
        (np.ones([0, 3]), ONE, "holds no examples; expected at least one"),
        (np.ones([2, 3]), TWO, r"no array 'ids', an input of the model, int32 \[examples\]"),
    ],
)
def test_what_does_not_fit_is_told_with_what_is_expected(opened, tmp_path, array, specs, said):
    np.save(tmp_path / "data.npy", array)
    with pytest.raises(ConfigurationError, match=said):
        opened("data.npy", specs)


def test_inputs_of_different_lengths_are_told(opened, tmp_path):
    np.savez(tmp_path / "data.npz", ids=np.ones(3, int), size=np.ones([2, 1]))
    with pytest.raises(ConfigurationError, match="different numbers of examples, {'ids': 3, 'size': 2}"):
        opened("data.npz", TWO)


def test_a_file_that_is_not_there_and_one_of_another_kind_are_told(opened, tmp_path):
    (tmp_path / "data.parquet").write_text("")
    (tmp_path / "empty").mkdir()
    for name, said in [
        ("dta.parquet", "does not exist; did you mean 'data.parquet'"),
        ("data.parquet", "is of no known kind; expected .npy, .npz, .csv, or a folder"),
        ("empty", "holds neither images nor .npy files"),
    ]:
        with pytest.raises(ConfigurationError, match=said):
            opened(name, ONE)
