"""TfdsSource: examples of a dataset of tensorflow-datasets, read in any order."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gin
import numpy as np
import tensorflow as tf

from objectives import ConfigurationError, Key
from objectives.blame import told
from objectives.quantities import quantity
from trainer.feeds.files.extras import require_package
from trainer.feeds.files.file_source import FileSource
from trainer.feeds.files.names import Names, choose
from trainer.feeds.files.record_table import RecordTable
from trainer.feeds.files.records import Records
from trainer.feeds.kinds import require_real
from trainer.feeds.table import SelectedRows, Table, single


@gin.register(module="trainer")
@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TfdsSource(FileSource):
    """Examples of a dataset of tensorflow-datasets, as it prepared them in TFRecord files.

    A dataset that is not there yet is downloaded and prepared. Its records are read by their numbers, as those of
    `TFRecordSource` are: an epoch is shuffled over all examples, and a run resumes at any step without reading those
    before. Features are as tensorflow-datasets decodes them: images have whole numbers from 0 to 255.

    Attributes:
      name: the name of the dataset, such as "mnist" or "mnist:3.0.1".
      split: a split in the words of tensorflow-datasets, such as "train", "test" or "train[:80%]".
      data_dir: the folder of prepared datasets; by default that of tensorflow-datasets.
      inputs: what the model reads: the name of a feature; a list of names, which makes the inputs a dict of these
        names; or a dict of names by key. By default what the dataset names for supervised learning.
      targets: what terms compare the outputs with, likewise.
      sample_weight: the name of the feature with a factor for each example, if any.

    Raises:
      ConfigurationError: tensorflow-datasets is not installed, has no such dataset or split, or cannot prepare it. Or a
        feature is missing, holds no real numbers, or its shape differs from example to example.
    """

    name: str
    split: str = "train"
    data_dir: str | pathlib.Path | None = None
    inputs: Names = None
    targets: Names = None
    sample_weight: str | None = None

    @property
    def class_names(self) -> Mapping[Key, tuple[str, ...]]:
        named = self._supervised[1] if self.targets is None else self.targets
        by_key = {"targets": named} if isinstance(named, str) else {}
        if isinstance(self.targets, Mapping):
            by_key = {f"targets.{key}": name for key, name in self.targets.items()}
        elif isinstance(self.targets, Sequence) and not by_key:
            by_key = {f"targets.{name}": name for name in self.targets}
        features = dict(self._info.features.items())
        found = {key: tuple(getattr(features.get(name), "names", None) or ()) for key, name in by_key.items()}
        return {key: names for key, names in found.items() if names}

    def _read(self) -> Table:
        instructions = self._instructions
        records = Records([pathlib.Path(one.filename) for one in instructions])
        firsts = np.cumsum([0, *(one.examples_in_shard for one in instructions)])
        if records.count != firsts[-1]:
            raise ConfigurationError(
                f"TfdsSource: the files of {self.name!r} have {quantity(records.count, 'record')}, and its description "
                f"says {firsts[-1]:,}; expected the same: remove its folder, and it is prepared again"
            )
        rows = [
            np.arange(one.skip, one.examples_in_shard if one.take < 0 else one.skip + one.take) + first
            for one, first in zip(instructions, firsts, strict=False)
        ]
        supervised = dict(zip(("inputs", "targets"), self._supervised, strict=True))
        asked = {"inputs": self.inputs or supervised["inputs"], "targets": self.targets or supervised["targets"]}
        known = {name: Decoded(name, info) for name, info in self._info.features.get_tensor_info().items()}
        parts = choose("TfdsSource", {**asked, "sample_weight": self.sample_weight}, known, repr(self.name))
        table = TfdsTable(records, parts, self._info.features.deserialize_example)
        return SelectedRows(table, np.concatenate(rows))

    @functools.cached_property
    def _info(self) -> Any:
        tfds = require_package("tensorflow_datasets", "Datasets by name", package="tensorflow-datasets")
        try:
            builder = tfds.builder(self.name, data_dir=None if self.data_dir is None else str(self.data_dir))
            builder.download_and_prepare()  # nothing if it is there
        except Exception as error:  # whatever its own code and that of the dataset raise
            raise ConfigurationError(f"TfdsSource.name is {self.name!r}: {told(error)}") from error
        return builder.info

    @functools.cached_property
    def _instructions(self) -> Any:
        try:
            found = self._info.splits[self.split].file_instructions
        except (KeyError, ValueError) as error:
            raise ConfigurationError(
                f"TfdsSource.split is {self.split!r}; expected one of {', '.join(self._info.splits)}, or a part of one "
                f"such as 'train[:80%]'"
            ) from error
        wrong = [one.filename for one in found if ".tfrecord" not in pathlib.Path(one.filename).name]
        if wrong or not found:
            problem = f"is prepared in {wrong[0]}; expected TFRecord files" if wrong else "has no examples"
            raise ConfigurationError(f"TfdsSource: the split {self.split!r} of {self.name!r} {problem}")
        return found

    @property
    def _supervised(self) -> tuple[Any, Any]:
        keys = self._info.supervised_keys
        return (None, None) if keys is None else (keys[0], keys[1])


@dataclasses.dataclass(frozen=True)
class Decoded:
    """A feature as tensorflow-datasets decodes it.

    Attributes:
      name: its name.
      info: its `shape` and `dtype`; or a dict or something else where it is no single tensor.
    """

    name: str
    info: Any

    @property
    def spec(self) -> tf.TensorSpec:
        """What one example is like.

        Raises:
          ConfigurationError: It is no tensor of real numbers, or its shape is not the same for all examples.
        """
        shape = getattr(self.info, "shape", None)
        if shape is None or None in shape:
            raise ConfigurationError(
                f"TfdsSource: {self.name!r} is {self.info}; expected a tensor whose shape is the same for all "
                f"examples; a DatasetSource of tfds.load(...) can make one"
            )
        dtype = np.dtype(getattr(self.info.dtype, "as_numpy_dtype", self.info.dtype))
        require_real(f"TfdsSource: {self.name!r}", dtype)
        return tf.TensorSpec(shape, single(dtype))

    @property
    def fact(self) -> str:
        """What distinguishes it from others, as text."""
        return self.name


class TfdsTable(RecordTable):
    """Examples of which each is a record that tensorflow-datasets decodes."""

    def __init__(self, records: Records, parts: Mapping[str, Any], decode: Callable[[tf.Tensor], Mapping[str, Any]]):
        """Takes the records, nests of the features that the parts are made of, and what decodes a record."""
        super().__init__(records, parts)
        wanted = self._features
        self._decode = lambda record: {name: value for name, value in decode(record).items() if name in wanted}

    def _decoded(self, numbers: np.ndarray) -> dict[str, np.ndarray]:
        records = self._records.read(numbers)
        with tf.device("CPU:0"):
            dataset = tf.data.Dataset.from_tensor_slices(records)
            dataset = dataset.map(self._decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
            return next(dataset.batch(len(records)).as_numpy_iterator())
