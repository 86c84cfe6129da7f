"""The task of scripts/verification/chaos.py: layers with all kinds of state; it shows its stack before it is killed."""

import dataclasses
import faulthandler
import functools
import os
import pathlib
import signal

import gin
import keras
import numpy as np
import tensorflow as tf

from trainer import ArraySource, DatasetSource, Task

# Before chaos.py kills this process, it asks for the stack of the main thread, which is written to this file. The
# stacks of other threads cannot be read safely while they run.
if "CHAOS_STACKS" in os.environ:
    _file = open(os.environ["CHAOS_STACKS"], "w")  # noqa: SIM115 (open as long as the process lives)
    faulthandler.register(signal.SIGUSR1, _file, all_threads=False)


@gin.register(module="chaos")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Everything(Task):
    """A noisy sum, by dense layers with Dropout and BatchNormalization.

    Attributes:
      units: of each hidden layer.
      eval_examples: enough for some processes to be killed in an evaluation.
      poisoned: the training example that has an input which is not a number, if any.
    """

    units: int = 192
    eval_examples: int = 4000
    poisoned: int | None = None

    @functools.cached_property
    def train(self):
        return _examples(500, seed=0, poisoned=self.poisoned)

    @functools.cached_property
    def eval(self):
        return _examples(self.eval_examples, seed=1)

    def build_model(self):
        inputs = hidden = keras.Input([16])
        for i in range(3):
            hidden = keras.layers.Dense(self.units, activation="relu", name=f"hidden_{i}")(hidden)
            hidden = keras.layers.BatchNormalization()(hidden)
            hidden = keras.layers.Dropout(0.2)(hidden)
        return keras.Model(inputs, keras.layers.Dense(1, name="head")(hidden))

    def measure(self, model):
        return {"bias of the head": float(model.get_layer("head").bias.numpy()[0])}


@gin.register(module="chaos")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Recorded(Everything):
    """The same examples from TFRecord files, which are read several at a time and in a new order in each epoch.

    Attributes:
      folder: of the files, which are written if they are missing.
    """

    folder: str

    @functools.cached_property
    def train(self):
        folder = pathlib.Path(self.folder)
        _write_records(folder, super().train.arrays)
        return DatasetSource(functools.partial(_records, f"{folder}/s*.tfrecord"))


def _write_records(folder, arrays, shards=5):
    folder.mkdir(parents=True, exist_ok=True)
    both = np.concatenate([arrays["inputs"], arrays["targets"]], axis=1)
    for shard in range(shards):
        path = folder / f"s{shard}.tfrecord"
        if path.exists():
            continue
        part = path.with_suffix(f".{os.getpid()}")
        with tf.io.TFRecordWriter(str(part)) as file:
            for example in both[shard::shards]:
                file.write(tf.io.serialize_tensor(example).numpy())
        part.rename(path)


def _records(pattern, seed):
    files = tf.data.Dataset.list_files(pattern, shuffle=True, seed=seed)
    records = files.interleave(
        tf.data.TFRecordDataset, cycle_length=3, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    return records.shuffle(128, seed=seed).map(_parsed, num_parallel_calls=tf.data.AUTOTUNE)


def _parsed(record):
    example = tf.ensure_shape(tf.io.parse_tensor(record, tf.float32), [17])
    return example[:16], example[16:]


def _examples(count, *, seed, poisoned=None):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=[count, 16])
    y = x.sum(axis=1, keepdims=True) + 0.1 * rng.normal(size=[count, 1])
    if poisoned is not None:
        x[poisoned, 0] = np.nan
    return ArraySource(x, y)
