"""The sources that `data_speed.py` compares, and what trains from them."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from objectives import ActivationPenalty, KerasLoss, Objective
from termwise.verification.feeding.files import CLASSES, EXAMPLES, SHAPE, Written
from trainer import ArraySource, DatasetSource, ImageFolderSource, NpzSource, TFRecordSource, Trainer

BATCH_SIZE = 64
_PENALTY = 0.01


def sources(written: Written) -> dict[str, Any]:
    """Returns a source of each kind by its name, shuffled."""
    x, y = written.x, written.y
    return {
        "ArraySource, on the device": ArraySource(x, y, resident=True),
        "ArraySource, streamed": ArraySource(x, y, resident=False),
        "NpzSource, a memory map, streamed": NpzSource(file=written.arrays, resident=False),
        "TFRecordSource": TFRecordSource(file=str(written.records), schema={"x": ("float32", SHAPE), "y": "int64"}),
        "ImageFolderSource, PNG": ImageFolderSource(folder=written.folders["png"], channels=1),
        "ImageFolderSource, JPEG": ImageFolderSource(folder=written.folders["jpg"], channels=1),
        "ImageFolderSource, PNG, on the device": ImageFolderSource(
            folder=written.folders["png"], channels=1, resident=True
        ),
        "DatasetSource of shuffled tensor slices": DatasetSource(lambda: _slices(written)),
        "DatasetSource of a TFRecordDataset": DatasetSource(lambda: _parsed(written)),
    }


def running(source: Any, batch_size: int = BATCH_SIZE) -> Callable[[int], int]:
    """Returns a function that trains from a source for so many steps, and returns for how many it did."""
    objective = Objective(
        data=KerasLoss(loss=_cross_entropy()),
        penalty=ActivationPenalty(activation="outputs", norm="l2", weight=_PENALTY),
    )
    trainer = Trainer(
        model=_network(),
        objective=objective,
        optimizer=keras.optimizers.Adam(1e-3),
        train=source,
        batch_size=batch_size,
        execution="xla_loop",
        default_reports=False,
        steps=10**9,
    )

    def run(steps: int) -> int:
        trainer.train(until=trainer.step + steps)
        return steps

    return run


def fit_running(written: Written) -> Callable[[int], int]:
    """Returns such a function of `keras.Model.fit` with the same objective, over the dataset of tensor slices."""
    unit = 50
    inputs = keras.Input(SHAPE)
    model = keras.Model(inputs, _Penalty()(_network()(inputs)))
    model.compile(keras.optimizers.Adam(1e-3), _cross_entropy(), jit_compile=True, steps_per_execution=unit)
    batches = _slices(written).repeat().batch(BATCH_SIZE, drop_remainder=True).prefetch(tf.data.AUTOTUNE)

    def run(steps: int) -> int:
        whole = -(-steps // unit) * unit
        model.fit(batches, steps_per_epoch=whole, verbose=0)
        return whole

    return run


def _slices(written: Written) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((written.x, written.y)).shuffle(EXAMPLES)


def _parsed(written: Written) -> tf.data.Dataset:
    features = {"x": tf.io.FixedLenFeature([], tf.string), "y": tf.io.FixedLenFeature([], tf.int64)}

    def parse(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        found = tf.io.parse_single_example(record, features)
        return tf.reshape(tf.io.decode_raw(found["x"], tf.float32), SHAPE), found["y"]

    records = tf.data.TFRecordDataset(str(written.records)).shuffle(EXAMPLES)
    return records.map(parse, num_parallel_calls=tf.data.AUTOTUNE)


def _network() -> keras.Model:
    keras.utils.set_random_seed(1)
    units = [keras.layers.Dense(512, "relu"), keras.layers.Dense(256, "relu"), keras.layers.Dense(CLASSES)]
    return keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), *units])


def _cross_entropy() -> keras.losses.Loss:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class _Penalty(keras.layers.Layer):
    def call(self, outputs: Any) -> Any:
        self.add_loss(_PENALTY * keras.ops.mean(keras.ops.square(outputs)))
        return outputs
