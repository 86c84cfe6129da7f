"""RecordTable: the base of examples of which each is a record; how a record is decoded is the subclass's."""

import abc
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from objectives.context import leaves
from objectives.quantities import quantity
from trainer.feeds.files.records import Records
from trainer.feeds.table import Table

# How many records the fingerprint reads.
_SAMPLE = 64


class RecordFeature(Protocol):
    """A feature of each record.

    Attributes:
      name: its name in the records.
      spec: what one example of it is like.
      fact: what distinguishes it from others, as text.
    """

    @property
    def name(self) -> str: ...

    @property
    def spec(self) -> tf.TensorSpec: ...

    @property
    def fact(self) -> str: ...


class RecordTable(Table):
    """Examples of which each is a record."""

    def __init__(self, records: Records, parts: Mapping[str, Any]):
        """Takes the records, and nests of the features that the parts of an example are made of."""
        self._records, self._parts = records, dict(parts)
        self._features = {feature.name: feature for feature in tf.nest.flatten(self._parts)}
        self.size, self.words = records.count, quantity(records.count, "record")
        self.spec = tf.nest.map_structure(lambda feature: feature.spec, self._parts)

    @abc.abstractmethod
    def _decoded(self, numbers: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the features of some records, at least one, as arrays `[records, ...]` by name.

        Args:
          numbers: of the records, `[records]`.
        """

    def read(self, rows: np.ndarray, out: Mapping[str, Any]) -> None:
        numbers = np.ravel(rows)
        if not len(numbers):
            return
        found = self._decoded(numbers)

        def put(feature: RecordFeature, to: np.ndarray) -> None:
            to[...] = found[feature.name].reshape(to.shape)

        tf.nest.map_structure(put, self._parts, {part: out[part] for part in self._parts})

    def facts(self) -> dict[str, str]:
        features = {key: feature.fact for key, feature in leaves(self._parts).items()}
        return {"records": f"digest {self._records.digest(_SAMPLE)}", **features}
