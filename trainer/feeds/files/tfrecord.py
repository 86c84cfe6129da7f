"""TFRecordSource: examples in TFRecord files, read in any order."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping, Sequence
from typing import ClassVar

import gin
import numpy as np

from objectives import ConfigurationError
from trainer.feeds.files.features import Spec, features_of, names_in, parse
from trainer.feeds.files.names import Names, choose
from trainer.feeds.files.paths import Files, find_files
from trainer.feeds.files.record_table import RecordTable
from trainer.feeds.files.records import Records
from trainer.feeds.files.split_source import SplitSource
from trainer.feeds.table import Table


@gin.register(module="trainer")
@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TFRecordSource(SplitSource):
    """Examples in the records of TFRecord files, each a `tf.train.Example`.

    Where each record begins is found out once, so that an epoch is shuffled over all records of all files, whatever
    their number, and a run resumes at any step without reading those before. Compressed files are refused.

    Attributes:
      file: the file, a pattern such as `parts/*.tfrecord`, or a list of them.
      inputs: what the model reads: the name of a feature; a list of names, which makes the inputs a dict of these
        names; or a dict of names by key. By default `inputs` or `x`, or else the only feature.
      targets: what terms compare the outputs with, likewise. By default `targets` or `y` if there is one.
      sample_weight: the name of the feature with a factor for each example, if any.
      schema: the type and shape of features by name: 'int64' for one number, ('float32', (3,)) for an array,
        ('uint8', (28, 28, 1)) for the bytes of one, and ('image', (height, width, channels)) for the content of an
        image file, which is decoded, scaled to that size, and from 0 for black to 1. By default the lists of numbers in
        the first record, as they are.

    Raises:
      ConfigurationError: There is no such file or feature. Or a record is damaged or does not have the features: the
        message names its file and its number there, when the record is read.
    """

    shaped_by: ClassVar[tuple[str, ...]] = ("inputs", "schema")

    file: Files
    inputs: Names = None
    targets: Names = None
    sample_weight: str | None = None
    schema: Mapping[str, Spec] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def places(self) -> Sequence[pathlib.Path]:
        """The files of the examples in their order."""
        return find_files(self.file, "TFRecordSource.file")

    def _read(self) -> Table:
        records = Records(self.places)
        if not records.count:
            raise ConfigurationError("TFRecordSource: there is no record; expected at least one")
        (first,), called = records.read(np.zeros(1, np.int64)), records.called(0)
        known = features_of(first, self.schema, called)
        asked = {"inputs": self.inputs, "targets": self.targets, "sample_weight": self.sample_weight}
        unread = [] if self.schema else [name for name in names_in(first) if name not in known]
        return ExampleTable(records, choose("TFRecordSource", asked, known, self._described(called, unread), unread))

    def _described(self, called: str, unread: Sequence[str]) -> str:
        """Returns what features are known by, for messages."""
        if self.schema:
            return "TFRecordSource.schema"
        return f"{called} (without {', '.join(unread)}, which TFRecordSource.schema describes)" if unread else called


class ExampleTable(RecordTable):
    """Examples of which each is a record that holds a `tf.train.Example`."""

    def _decoded(self, numbers: np.ndarray) -> dict[str, np.ndarray]:
        records = self._records.read(numbers)
        try:
            return parse(records, self._features)
        except ConfigurationError:
            for number, record in zip(numbers, records, strict=True):  # to find the one that it is about
                try:
                    parse([record], self._features)
                except ConfigurationError as error:
                    raise ConfigurationError(f"{self._records.called(int(number))}: {error}") from error
            raise
