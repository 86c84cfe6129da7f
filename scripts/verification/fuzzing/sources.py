"""Random examples, and the sources that hold them: arrays, datasets, files of each kind, and parts of a batch."""

import csv
import itertools
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from termwise.verification.fuzzing.configurations import Configuration
from termwise.verification.fuzzing.models import OUTPUTS, inputs_of
from trainer import ArraySource, CsvSource, DatasetSource, MixedSource, NpzSource, TFRecordSource
from trainer.feeds.sources import Source, TableSource

Arrays = Mapping[str, np.ndarray]
# Examples by the part of a batch that they are of; "" where a batch has no parts.
Parts = Mapping[str, Arrays]

TARGETS = ("y", "label", "mask", "shown")
# How many examples there are of each part. None divides the batches that are drawn.
TRAINED, HELD_OUT = {"": 20, "boundary": 7, "interior": 20}, {"": 11, "boundary": 4, "interior": 11}


def examples(configuration: Configuration, lengths: Mapping[str, int]) -> Parts:
    """Returns random examples of each part."""
    return {part: _examples(configuration, part, lengths[part]) for part in configuration.sizes}


def _examples(configuration: Configuration, part: str, count: int) -> Arrays:
    rng = np.random.default_rng([configuration.seed, count, len(part)])
    y = rng.normal(size=[count, OUTPUTS]).astype(np.float32)
    return {
        "x": inputs_of(configuration.kind, count, rng),
        "y": y,
        "label": (y > 0).astype(np.float32),
        "mask": (rng.random([count, OUTPUTS]) < configuration.shown).astype(np.float32),
        "shown": (rng.random(count) < configuration.shown).astype(np.float32),
        "factor": rng.uniform(0.2, 3.0, count).astype(np.float32),
    }


def source_of(configuration: Configuration, parts: Parts, stem: pathlib.Path) -> Source:
    """Returns a source of examples; files of it are written beside `stem`, with its name and a suffix."""
    if configuration.source != "mixed":
        return _MAKERS[configuration.source](parts[""], configuration.weighted, stem)
    forms = {"boundary": "npz", "interior": "resident"}
    sources = {
        part: _MAKERS[forms[part]](arrays, configuration.weighted and part == configuration.part_of("data"), stem)
        for part, arrays in parts.items()
    }
    return MixedSource(shares=configuration.sizes, **sources)


def batches(configuration: Configuration, source: Source, parts: Parts) -> Iterator[Parts]:
    """Yields the examples of each step."""
    numbers = {part: _numbers(_table_of(source, part), size) for part, size in configuration.sizes.items()}
    while True:
        rows = {part: next(found) for part, found in numbers.items()}
        yield {part: {name: array[rows[part]] for name, array in parts[part].items()} for part in rows}


def _table_of(source: Source, part: str) -> Source:
    return source.parts[part] if isinstance(source, MixedSource) else source


def _numbers(source: Source, size: int) -> Iterator[np.ndarray]:
    """Yields the numbers of each batch: those of tables are shuffled by the seed, the dataset is not shuffled."""
    if isinstance(source, TableSource):
        for batch in itertools.count():
            yield source.indices(first_batch=batch, steps=1, batch_size=size, seed=0)[0]
    numbers = itertools.cycle(range(TRAINED[""]))
    while True:
        yield np.array([next(numbers) for _ in range(size)])


def _of_arrays(arrays: Arrays, weighted: bool, *, resident: bool) -> ArraySource:
    targets = {name: arrays[name] for name in TARGETS}
    factor = arrays["factor"] if weighted else None
    return ArraySource(arrays["x"], targets, sample_weight=factor, resident=resident)


def _of_dataset(arrays: Arrays, weighted: bool, stem: pathlib.Path) -> DatasetSource:
    del stem
    example = {"inputs": arrays["x"], "targets": {name: arrays[name] for name in TARGETS}}
    weights = {"sample_weight": arrays["factor"]} if weighted else {}
    return DatasetSource(lambda: tf.data.Dataset.from_tensor_slices({**example, **weights}))


def _of_npz(arrays: Arrays, weighted: bool, stem: pathlib.Path) -> NpzSource:
    file = stem.with_suffix(".npz")
    np.savez(file, allow_pickle=False, **arrays)
    return NpzSource(file=file, inputs="x", targets=TARGETS, sample_weight=_factor(weighted), resident=False)


def _of_records(arrays: Arrays, weighted: bool, stem: pathlib.Path) -> TFRecordSource:
    file = stem.with_suffix(".tfrecord")
    with tf.io.TFRecordWriter(str(file)) as writer:
        for row in range(len(arrays["y"])):
            features = {name: _feature(array[row]) for name, array in arrays.items()}
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    schema = {
        name: ("int64" if array.dtype.kind == "i" else "float32", array.shape[1:]) for name, array in arrays.items()
    }
    factor = _factor(weighted)
    return TFRecordSource(file=file, inputs="x", targets=TARGETS, sample_weight=factor, schema=schema)


def _feature(values: np.ndarray) -> tf.train.Feature:
    if values.dtype.kind == "i":
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values.ravel()))
    return tf.train.Feature(float_list=tf.train.FloatList(value=values.ravel()))


def _of_csv(arrays: Arrays, weighted: bool, stem: pathlib.Path) -> CsvSource:
    file, columns = stem.with_suffix(".csv"), {name: _columns(name, array) for name, array in arrays.items()}
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow([column for names in columns.values() for column in np.atleast_1d(names)])
        writer.writerows(zip(*(column for array in arrays.values() for column in _each(array)), strict=True))
    targets = {name: columns[name] for name in TARGETS}
    return CsvSource(file=file, inputs=columns["x"], targets=targets, sample_weight=_factor(weighted))


def _columns(name: str, array: np.ndarray) -> Any:
    return name if array.ndim == 1 else [f"{name}{i}" for i in range(array.shape[1])]


def _each(array: np.ndarray) -> list[list[str]]:
    """Returns the columns of an array as texts that name its numbers exactly."""
    return [[repr(float(value)) for value in column] for column in np.atleast_2d(array.T)]


def _factor(weighted: bool) -> str | None:
    return "factor" if weighted else None


_MAKERS: Mapping[str, Any] = {
    "resident": lambda arrays, weighted, stem: _of_arrays(arrays, weighted, resident=True),
    "streamed": lambda arrays, weighted, stem: _of_arrays(arrays, weighted, resident=False),
    "dataset": _of_dataset,
    "npz": _of_npz,
    "tfrecord": _of_records,
    "csv": _of_csv,
}
