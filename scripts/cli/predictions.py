"""Predictions: the outputs of a model in a file or a folder, written batch by batch, completely or not at all."""

import contextlib
import pathlib
from collections.abc import Iterator, Mapping, Sequence

from objectives import ConfigurationError
from objectives.errors import expected
from termwise.cli.prediction_files import Archive, ArrayFiles, OneArray, Predictions, Table
from trainer.storage.files import unfinished, writing

KINDS = (".npy", ".npz", ".csv")


@contextlib.contextmanager
def predictions(
    path: pathlib.Path, *, size: int, outputs: Mapping[str, Sequence[int | None]], names: Sequence[str] = ()
) -> Iterator[Predictions]:
    """Opens a file or a folder for predictions; it has its name once the context closes without an error.

    Args:
      path: ends in .npy, .npz or .csv, or is a folder that is empty or does not exist.
      size: the number of examples.
      outputs: the shape of each output by name.
      names: the file of each example, if they are images.

    Raises:
      ConfigurationError: The outputs do not fit into such a file.
      StorageError: The system refuses it; what was there before is there still.
    """
    kind = _kind(path, outputs)
    with unfinished(path) as place:
        with writing(path):
            receiver = kind(place, size, names)
        yield receiver
        with writing(path):
            receiver.finish()


def _kind(path: pathlib.Path, outputs: Mapping[str, Sequence[int | None]]) -> type[Predictions]:
    suffix = path.suffix.lower()
    if suffix in KINDS and path.is_dir():
        raise ConfigurationError(f"--output={path} is a folder; expected a file, or a folder without {suffix}")
    if suffix == ".npy":
        if len(outputs) > 1:
            raise ConfigurationError(
                f"--output={path} holds one array, and the model has the outputs {', '.join(outputs)}; expected "
                f"{path.with_suffix('.npz').name}, or a folder"
            )
        return OneArray
    if suffix == ".npz":
        return Archive
    if suffix == ".csv":
        for name, shape in outputs.items():
            if len(shape) > 2:
                raise ConfigurationError(
                    f"--output={path} has a row for each example, and the output {name!r} has the shape "
                    f"{_words(shape)}; expected "
                    f"{path.with_suffix('.npy' if len(outputs) == 1 else '.npz').name}"
                )
        return Table
    if suffix and not path.is_dir():
        raise ConfigurationError(f"--output={path} is of no known kind; {expected(suffix, KINDS)}, or a folder")
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise ConfigurationError(f"--output={path} is there already; expected a folder that is empty or new")
    return ArrayFiles


def _words(shape: Sequence[int | None]) -> str:
    return f"[{', '.join('examples' if not i else str(length or 'any') for i, length in enumerate(shape))}]"
