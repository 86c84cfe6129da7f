"""Model inputs: examples in files as the inputs of a model; what does not fit is refused before any work is done."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from objectives import ConfigurationError
from objectives.blame import shown_path
from objectives.errors import Mistakes, expected
from termwise.cli.examples import ArrayExamples, Examples, ImageExamples, Specs
from termwise.cli.input_columns import input_columns
from trainer.feeds.files.image_folder import list_images
from trainer.feeds.files.npz import read_arrays
from trainer.saved.signature import described

# What a single input may be called in a file, besides its own name.
_USUAL = ("inputs", "x")
# The kinds of NumPy's types that become a type of TensorFlow without a loss.
_KINDS = {"f": "fiub", "i": "iub", "u": "iub", "b": "b", "O": "US"}


def open_examples(path: pathlib.Path, specs: Specs, bindings: Mapping[str, Any]) -> Examples:
    """Opens the examples in a file or folder; of arrays nothing is read yet.

    Args:
      path: an `.npy`, `.npz` or `.csv` file, a folder of `.npy` files, or a folder of images.
      specs: the inputs of the model by name.
      bindings: what the run was configured with. It says which columns of a CSV file are inputs, and what number
        stands for the white of an image, if the run read such files.

    Raises:
      ConfigurationError: There is no such file, or what it has does not fit the model.
    """
    if not path.exists():
        beside = [one.name for one in path.parent.glob("*")] if path.parent.is_dir() else []
        raise ConfigurationError(f"--inputs={shown_path(path)} does not exist; {expected(path.name, beside)}")
    if path.is_dir() and not any(path.glob("*.npy")):
        return _images(path, specs, bindings)
    if path.suffix.lower() == ".csv":
        arrays = input_columns(path, specs, bindings)
    elif path.is_dir() or path.suffix.lower() in (".npy", ".npz"):
        arrays = _matched(path, read_arrays(path), specs)
    else:
        raise ConfigurationError(
            f"--inputs={shown_path(path)} is of no known kind; expected .npy, .npz, .csv, or a folder of images or of "
            f".npy files"
        )
    _require_fit(path, arrays, specs)
    return ArrayExamples(arrays, specs)


def _matched(path: pathlib.Path, arrays: Mapping[str, np.ndarray], specs: Specs) -> dict[str, np.ndarray]:
    """Returns the array of each input, by the names of both."""
    if len(specs) == 1:
        (name,) = specs
        found = next((one for one in (name, *_USUAL) if one in arrays), None)
        if found is None and len(arrays) == 1:
            (found,) = arrays
        if found is None:
            raise ConfigurationError(
                f"{shown_path(path)} has no array {name!r}, the input of the model; {expected(name, arrays)}"
            )
        return {name: arrays[found]}
    mistakes = Mistakes()
    for name, spec in specs.items():
        if name not in arrays:
            mistakes.messages.append(
                f"{shown_path(path)} has no array {name!r}, an input of the model, {described(spec)}; "
                f"{expected(name, arrays, used=specs)}"
            )
    mistakes.raise_any()
    return {name: arrays[name] for name in specs}


def _images(folder: pathlib.Path, specs: Specs, bindings: Mapping[str, Any]) -> Examples:
    paths = list_images(folder)
    if not paths:
        raise ConfigurationError(
            f"--inputs={shown_path(folder)} holds neither images nor .npy files; expected one of them"
        )
    (name, spec), *others = specs.items()
    if others or spec.shape.rank != 4 or spec.shape[3] not in (1, 3, 4):
        takes = ", ".join(f"{name!r}: {described(spec)}" for name, spec in specs.items())
        raise ConfigurationError(
            f"--inputs={shown_path(folder)} holds images, and the model takes {takes}; expected a model of one input, "
            f"[examples, height, width, 1, 3 or 4 channels]"
        )
    white = [value for key, value in bindings.items() if key.endswith("ImageFolderSource.max_value")]
    return ImageExamples(folder, paths, name, spec, float(white[0]) if white else 1.0)


def _require_fit(path: pathlib.Path, arrays: Mapping[str, np.ndarray], specs: Specs) -> None:
    mistakes = Mistakes()
    for name, spec in specs.items():
        array = arrays[name]
        found = f"{array.dtype} {list(array.shape)}"
        if array.ndim != spec.shape.rank or not spec.shape[1:].is_compatible_with(array.shape[1:]):
            mistakes.messages.append(f"{shown_path(path)}: the input {name!r} is {found}; expected {described(spec)}")
        elif array.dtype.kind not in _KINDS[np.dtype(spec.dtype.as_numpy_dtype).kind.replace("V", "f")]:
            mistakes.messages.append(
                f"{shown_path(path)}: the input {name!r} is {found}, which does not become {spec.dtype.name} without a "
                f"loss; expected {described(spec)}"
            )
    lengths = {name: len(array) for name, array in arrays.items() if array.ndim}
    if len({*lengths.values()}) > 1:
        mistakes.messages.append(f"{shown_path(path)}: inputs have different numbers of examples, {lengths}")
    if 0 in lengths.values():
        mistakes.messages.append(f"{shown_path(path)} holds no examples; expected at least one")
    mistakes.raise_any()
