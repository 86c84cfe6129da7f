"""Input columns: which columns of a CSV file are the inputs of a model."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from objectives.blame import shown_path
from termwise.cli.examples import Specs
from trainer.feeds.files.columns import read_columns, read_names, require_all_named, stacked
from trainer.saved.signature import described

# What says how a file is written, and nothing of a run.
_FORMAT = {"separator", "categories"}


def input_columns(path: pathlib.Path, specs: Specs, bindings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Returns the columns of a CSV file that are inputs of a model: side by side for one input, else each by its name.

    Args:
      path: the file.
      specs: the inputs.
      bindings: of the run, whose `CsvSource` may say which columns are inputs, targets or text.

    Raises:
      ConfigurationError: A column is missing, there are too many or too few, or one is not of numbers.
    """
    bound = {key.rpartition(".")[2]: value for key, value in bindings.items() if "CsvSource." in key}
    separator, categories = bound.get("separator", ","), bound.get("categories", {})
    wide = _names_by_input(path, specs, bound, separator=separator)
    used = {column for names in wide.values() for column in names}
    columns = read_columns(
        path,
        [*used],
        separator=separator,
        categories={column: texts for column, texts in categories.items() if column in used},
        asked=used,
    )
    arrays = {}
    for name, names in wide.items():
        spec = specs[name]
        length = spec.shape[1] if spec.shape.rank == 2 else 1
        if spec.shape.rank not in (1, 2) or len(names) != (length or len(names)):
            raise ConfigurationError(
                f"{shown_path(path)} has the columns {', '.join(names)} for the input {name!r} of the model, which is "
                f"{described(spec)}; expected {'as many columns' if spec.shape.rank in (1, 2) else '.npy or .npz'}"
            )
        arrays[name] = columns[names[0]] if spec.shape.rank == 1 else _wide(columns, names, spec, path)
    return arrays


def _names_by_input(
    path: pathlib.Path, specs: Specs, bound: Mapping[str, Any], *, separator: str
) -> dict[str, list[str]]:
    """Returns the columns of each input, in their order."""
    asked = bound.get("inputs")
    if isinstance(asked, Mapping) and asked.keys() == specs.keys():
        return {name: _listed(asked[name]) for name in specs}
    if len(specs) > 1:
        return {name: [name] for name in specs}
    (name,) = specs
    if isinstance(asked, Mapping) and len(asked) == 1:
        (asked,) = asked.values()
    if asked:
        return {name: _listed(asked)}
    if bound.keys() - _FORMAT:
        raise ConfigurationError(
            f"the run does not say in which order its model reads the columns of a CSV file, as CsvSource.inputs is "
            f"neither bound nor recorded; expected --gin_param='CsvSource.inputs = [...]' with the names of columns of "
            f"{shown_path(path)}"
        )
    names = read_names(path, separator=separator)
    require_all_named(path, names, "CsvSource.inputs")
    return {name: names}


def _wide(columns: Mapping[str, np.ndarray], names: Sequence[str], spec: tf.TensorSpec, path: pathlib.Path) -> Any:
    if spec.dtype.is_floating:
        return stacked({name: columns[name] for name in names}, shown_path(path))
    return np.stack([columns[name] for name in names], axis=1)


def _listed(names: Any) -> list[str]:
    return [names] if isinstance(names, str) else [*names] if isinstance(names, Sequence) else []
