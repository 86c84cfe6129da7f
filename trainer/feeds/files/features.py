"""Features: what the examples in records are made of, given by the user or found in the first record."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import tensorflow as tf
from google.protobuf import message

from objectives import ConfigurationError
from objectives.annotations import Expected
from objectives.errors import expected
from objectives.quantities import quantity
from trainer.feeds.files.pictures import read_image
from trainer.feeds.table import single

_TYPES = ("float32", "float64", "int64", "int32", "int16", "int8", "uint16", "uint8", "bool")
# A feature that is an encoded image, such as the content of a JPEG file.
IMAGE = "image"


def _is_spec(spec: Any) -> bool:
    if isinstance(spec, str):
        return spec in _TYPES
    if not isinstance(spec, (tuple, list)) or len(spec) != 2 or spec[0] not in (*_TYPES, IMAGE):
        return False
    shape = spec[1]
    is_shape = isinstance(shape, (tuple, list)) and all(isinstance(axis, int) and axis > 0 for axis in shape)
    return is_shape and (spec[0] != IMAGE or (len(shape) == 3 and shape[2] in (1, 3, 4)))


Spec = Annotated[
    Any,
    Expected(
        "a type such as 'int64' for one number, ('uint8', (28, 28)) for an array, or ('image', (height, width, "
        "channels)) for an encoded image",
        _is_spec,
    ),
]


@dataclasses.dataclass(frozen=True)
class Feature:
    """One feature of each record.

    Attributes:
      name: its name in the records.
      kind: how records hold it: `float_list`, `int64_list` or `bytes_list`.
      dtype: the type of its numbers.
      shape: the shape of one example.
      is_image: whether it is an encoded image.
    """

    name: str
    kind: str
    dtype: np.dtype
    shape: tuple[int, ...]
    is_image: bool = False

    @property
    def spec(self) -> tf.TensorSpec:
        """What one example of it is like."""
        return tf.TensorSpec(self.shape, single(self.dtype))

    @property
    def fact(self) -> str:
        """What distinguishes it from others, as text."""
        return f"{self.name}, {IMAGE if self.is_image else self.dtype} {list(self.shape)}"

    @property
    def parser(self) -> tf.io.FixedLenFeature:
        """What TensorFlow parses it by."""
        if self.kind == "bytes_list":
            return tf.io.FixedLenFeature([], tf.string)
        return tf.io.FixedLenFeature(self.shape, tf.float32 if self.kind == "float_list" else tf.int64)

    @property
    def length(self) -> int:
        """How many values a record holds of it."""
        return 1 if self.kind == "bytes_list" else int(np.prod(self.shape))

    def numbers(self, parsed: np.ndarray) -> np.ndarray:
        """Returns what was parsed `[examples, ...]` as numbers of its type.

        Raises:
          ConfigurationError: They do not fit; of several examples the message does not say which.
        """
        if self.kind == "bytes_list":
            return np.stack([self._of_bytes(content) for content in parsed.tolist()])
        numbers = parsed.astype(self.dtype)
        if self.kind == "int64_list" and (numbers.astype(np.int64) != parsed).any():
            raise ConfigurationError(f"its {self.name!r} has numbers that {self.dtype} cannot hold")
        return numbers

    def _of_bytes(self, content: bytes) -> np.ndarray:
        if self.is_image:
            height, width, channels = self.shape
            return read_image(content, channels=channels, size=(height, width), name=f"its {self.name!r}")
        wanted = int(np.prod(self.shape)) * self.dtype.itemsize
        if len(content) != wanted:
            raise ConfigurationError(
                f"its {self.name!r} has {quantity(len(content), 'byte')}; expected {wanted:,}, for {self.dtype} of the "
                f"shape {self.shape}"
            )
        return np.frombuffer(content, self.dtype.newbyteorder("<")).reshape(self.shape)


def features_of(record: bytes, schema: Mapping[str, Spec], called: str) -> dict[str, Feature]:
    """Returns the features of records by their names: those of a schema, or else those of the first record.

    Args:
      record: the first record.
      schema: the types and shapes; empty to take lists of numbers as they are in the record, one number as a scalar.
      called: what the record is called in messages.

    Raises:
      ConfigurationError: The record is no `tf.train.Example`, or lacks a feature of the schema.
    """
    try:
        example = tf.train.Example.FromString(record)
    except message.DecodeError as error:
        raise ConfigurationError(f"{called} is no tf.train.Example: {error}") from error
    held = dict(sorted(example.features.feature.items()))
    if not held:
        raise ConfigurationError(f"{called} is no tf.train.Example with features; expected some")
    if not schema:
        return {name: found for name, feature in held.items() if (found := _derived(name, feature)) is not None}
    missing = [name for name in schema if name not in held or held[name].WhichOneof("kind") is None]
    if missing:
        raise ConfigurationError(
            f"TFRecordSource.schema has {missing[0]!r}, which {called} has not; {expected(missing[0], held)}"
        )
    return {name: _given(name, spec, held[name].WhichOneof("kind"), called) for name, spec in schema.items()}


def names_in(record: bytes) -> list[str]:
    """Returns the names of all features of an intact record."""
    return sorted(tf.train.Example.FromString(record).features.feature)


def _derived(name: str, feature: Any) -> Feature | None:
    """Returns a feature as a record has it; None for bytes, which may be anything, and for what is empty."""
    kind = feature.WhichOneof("kind")
    if kind not in ("float_list", "int64_list") or not (count := len(getattr(feature, kind).value)):
        return None
    dtype = np.dtype(np.float32 if kind == "float_list" else np.int64)
    return Feature(name, kind, dtype, () if count == 1 else (count,))


def _given(name: str, spec: Any, kind: str, called: str) -> Feature:
    type_name, shape = (spec, ()) if isinstance(spec, str) else spec
    is_image = type_name == IMAGE
    if is_image and kind != "bytes_list":
        raise ConfigurationError(f"TFRecordSource.schema has the image {name!r}, and {called} holds a {kind} there")
    dtype = np.dtype(np.float32 if is_image else type_name)
    if kind == "float_list" and dtype.kind != "f":
        raise ConfigurationError(
            f"TFRecordSource.schema has {dtype} for {name!r}, and {called} holds floats there; expected 'float32'"
        )
    return Feature(name, kind, dtype, tuple(shape), is_image)


def parse(records: Sequence[bytes], features: Mapping[str, Feature]) -> dict[str, np.ndarray]:
    """Returns the features of records as arrays `[records, ...]`, by name.

    Raises:
      ConfigurationError: A record does not have them; of several the message does not say which.
    """
    with tf.device("CPU:0"):
        try:
            parsed = tf.io.parse_example(list(records), {name: feature.parser for name, feature in features.items()})
        except (tf.errors.InvalidArgumentError, UnicodeDecodeError) as error:  # the latter where it quotes a record
            misfits = (misfit for record in records if (misfit := _misfit(record, features)) is not None)
            raise ConfigurationError(next(misfits, "cannot be parsed")) from error
    return {name: feature.numbers(parsed[name].numpy()) for name, feature in features.items()}


def _misfit(record: bytes, features: Mapping[str, Feature]) -> str | None:
    """Describes what a record has and what was expected; returns None where it fits."""
    try:
        held = tf.train.Example.FromString(record).features.feature
    except message.DecodeError:
        return "it is no tf.train.Example"
    for name, feature in features.items():
        kind = held[name].WhichOneof("kind") if name in held else None
        if kind is None:
            return f"it has no {name!r}; {expected(name, sorted(held))}"
        found, wanted = len(getattr(held[name], kind).value), feature.length
        if (kind, found) != (feature.kind, wanted):
            return (
                f"its {name!r} has {quantity(found, 'value')} of the kind {kind}; expected {wanted:,} of "
                f"{feature.kind}, as in the first record or TFRecordSource.schema"
            )
    return None
