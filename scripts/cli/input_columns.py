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
    known = read_names(path, separator=separator)
    if len(specs) == 1:
        (name,) = specs
        others = {*_listed(bound.get("targets")), *_listed(bound.get("sample_weight")), *_listed(bound.get("split_by"))}
        names = _listed(bound.get("inputs")) or [column for column in known if column not in others]
        if not bound.get("inputs"):
            require_all_named(path, names, "CsvSource.inputs")
        wide = {name: names}
    else:
        wide = {name: [name] for name in specs}
    used = {column for names in wide.values() for column in names}
    columns = read_columns(
        path,
        [*used],
        separator=separator,
        categories={column: texts for column, texts in categories.items() if column in used},
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


def _wide(columns: Mapping[str, np.ndarray], names: Sequence[str], spec: tf.TensorSpec, path: pathlib.Path) -> Any:
    if spec.dtype.is_floating:
        return stacked({name: columns[name] for name in names}, shown_path(path))
    return np.stack([columns[name] for name in names], axis=1)


def _listed(names: Any) -> list[str]:
    return [names] if isinstance(names, str) else [*names] if isinstance(names, Sequence) else []
