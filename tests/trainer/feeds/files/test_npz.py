"""NpzSource: the arrays that NumPy reads, mapped where they can be; what does not fit is refused by name."""

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer import NpzSource
from trainer.feeds.files.npz import read_arrays

RNG = np.random.default_rng(0)
ARRAYS = {
    "x": RNG.normal(size=(5, 2)),
    "y": np.arange(5),
    "w": np.ones(5, np.float32),
    "z": np.asfortranarray(RNG.normal(size=(5, 3))),
}


@pytest.fixture
def file(tmp_path):
    """Writes a file of the arrays, or of others; its name."""

    def write(save=np.savez, **arrays):
        save(tmp_path / "data.npz", **(arrays or ARRAYS))
        return tmp_path / "data.npz"

    return write


@pytest.fixture
def folder(tmp_path):
    for name, array in ARRAYS.items():
        np.save(tmp_path / f"{name}.npy", array)
    return tmp_path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_are_those_of_numpy(file, save):
    found = read_arrays(file(save))
    assert {*found} == {*ARRAYS}
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
        assert isinstance(found[name], np.memmap) == (save is np.savez)


def test_a_folder_of_files_and_one_file_are_read_likewise(folder):
    found = read_arrays(folder)
    assert {*found} == {*ARRAYS}
    np.testing.assert_array_equal(found["z"], ARRAYS["z"], strict=True)
    assert isinstance(found["x"], np.memmap)
    assert [*read_arrays(folder / "y.npy")] == ["y"]


@pytest.mark.parametrize("resident", [True, False])
def test_usual_names_need_no_words(file, resident):
    found = NpzSource(file=file(), resident=resident).table.all()
    assert {*found} == {"inputs", "targets"}
    np.testing.assert_array_equal(found["inputs"], ARRAYS["x"].astype(np.float32), strict=True)
    np.testing.assert_array_equal(found["targets"], ARRAYS["y"], strict=True)


def test_names_choose_arrays_and_keys(file):
    source = NpzSource(file=file(), inputs=["x", "z"], targets={"label": "y"}, sample_weight="w")
    assert source.keys == ("inputs.x", "inputs.z", "targets.label", "sample_weight")


def test_the_only_array_is_the_inputs(file):
    assert NpzSource(file=file(pixels=np.ones([3, 2]))).keys == ("inputs",)


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({"inputs": "xx"}, r"NpzSource.inputs is 'xx', which is not in .*data.npz; .*known: w, x, y, z"),
        ({"targets": ["y", "nope"]}, "NpzSource.targets is 'nope', which is not in"),
        ({"inputs": []}, "NpzSource.inputs is empty; known: w, x, y, z"),
        ({"inputs": ["x", "z", "x"]}, "NpzSource.inputs names 'x' twice; expected each once"),
        ({"inputs": 3}, "NpzSource.inputs is 3; expected the name of an array"),
    ],
)
def test_names_that_are_not_there_are_refused(file, settings, answer):
    with pytest.raises(ConfigurationError, match=answer):
        NpzSource(file=file(), **settings)


@pytest.mark.parametrize(
    ("arrays", "answer"),
    [
        ({"x": np.ones([3, 1]), "y": np.ones(4)}, r"data.npz: arrays have the shapes .*expected the same first axis"),
        ({"x": np.array(["a", "b"])}, "inputs is of the type .*expected numbers"),
        ({"a": np.ones(3), "b": np.ones(3)}, "NpzSource.inputs is not given, and .*data.npz holds a, b"),
        ({"x": np.empty([0, 2])}, "holds no examples"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(file, arrays, answer):
    with pytest.raises(ConfigurationError, match=answer):
        NpzSource(file=file(**arrays))


def test_objects_are_refused_by_name(tmp_path):
    np.savez(tmp_path / "o.npz", x=np.array([[1], [1, 2]], object), allow_pickle=True)
    with pytest.raises(ConfigurationError, match=r"o.npz: x.npy holds Python objects; expected numbers"):
        NpzSource(file=tmp_path / "o.npz")


@pytest.mark.parametrize("name", ["x.npz", "x.npy"])
def test_a_file_of_another_kind_is_told(tmp_path, name):
    (tmp_path / name).write_bytes(b"no array at all")
    with pytest.raises(ConfigurationError, match=f"{name} is no .{name[-3:]} file; expected one that np.save"):
        NpzSource(file=tmp_path / name)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_altered_bit_of_an_archive_is_told(file, save):
    path = file(save, x=np.random.default_rng(0).normal(size=500))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 64
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"data.npz.* cannot be read: "):
        NpzSource(file=path)


@pytest.mark.parametrize(
    "damage", [(b"}", b" "), (b"'<f8'", b"'<q8'"), (b"(5, 2)", b"(5, ()"), (b"'shape'", b"'shope'")]
)
def test_an_altered_header_is_told(folder, damage):
    path = folder / "x.npy"
    path.write_bytes(path.read_bytes().replace(*damage))
    with pytest.raises(ConfigurationError, match=r"x.npy is no intact array that NumPy saved"):
        NpzSource(file=path)


@pytest.mark.parametrize("resident", [True, False])
def test_a_number_beyond_float32_is_told_with_its_example(file, resident):
    x = np.zeros([4, 2])
    x[0, 0], x[2, 1] = np.inf, -1e300
    with pytest.raises(
        ConfigurationError, match=r"NpzSource: .*data.npz: inputs of example 2 \(from 0 on\), at \[1\], is -1e\+300"
    ):
        NpzSource(file=file(x=x), resident=resident).table.all()


def test_a_file_cut_short_is_told(folder):
    whole = (folder / "z.npy").read_bytes()
    (folder / "z.npy").write_bytes(whole[:-20])
    with pytest.raises(ConfigurationError, match="z.npy is no intact array that NumPy saved"):
        NpzSource(file=folder, inputs="z")
