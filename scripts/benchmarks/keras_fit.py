"""Keras fit as a peer: a compiled loss, and the penalty by `add_loss`."""

import contextlib
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from termwise.benchmarks.keras_models import adam, build_model, cross_entropy, strategy_over
from termwise.benchmarks.workloads import PENALTY, Workload


def build(
    workload: Workload, *, devices: int = 1, feed: str = "arrays", **compiled
) -> tuple[Callable[[int], int], str]:
    """See `benchmarks`.

    Args:
      workload: what is learned.
      devices: how many the batch is shared by.
      feed: one of `FEEDS`.
      **compiled: of `keras.Model.compile`.
    """
    model, fit = compiled_model(workload, devices=devices, **compiled), FEEDS[feed](workload)
    unit = compiled.get("steps_per_execution", 1)

    def run(steps: int) -> int:
        return fit(model, -(-steps // unit) * unit)

    return run, ", ".join([feed, *(f"{name}={value}" for name, value in compiled.items())])


def losses(
    workload: Workload, steps: int, *, devices: int = 1, steps_per_execution: int = 1, feed: str = "arrays", **compiled
) -> list[float]:
    """See `benchmarks`; of arrays and step by step, as only that shows each loss, in order."""
    means, examples = _Means(), steps * workload.batch_size
    x, y = (array[:examples] for array in workload.arrays())
    model = compiled_model(workload, devices=devices, **compiled)
    model.fit(x, y, batch_size=workload.batch_size, shuffle=False, verbose=0, callbacks=[means])
    return np.diff(np.array(means.found) * np.arange(1, steps + 1), prepend=0.0).tolist()


def launch(workload: Workload) -> None:
    """See `benchmarks`."""
    reached, (x, y) = _TenSteps(), workload.arrays()
    with contextlib.suppress(_Reached):
        compiled_model(workload).fit(x, y, batch_size=workload.batch_size, verbose=0, callbacks=[reached])


def compiled_model(workload: Workload, *, devices: int = 1, **compiled) -> keras.Model:
    """Returns the network with its objective and optimizer, shared by so many devices."""
    with strategy_over(devices).scope():
        network = build_model(workload)
        inputs = keras.Input(workload.inputs)
        model = keras.Model(inputs, _Penalty()(network(inputs)))
        model.compile(optimizer=adam(workload), loss=cross_entropy(), **compiled)
    return model


def _fit_arrays(workload: Workload) -> Callable[..., int]:
    """As in most examples: epochs over arrays, which Keras shuffles and slices; fewer steps are a part of an epoch."""
    (x, y), steps_an_epoch = workload.arrays(), workload.examples // workload.batch_size

    def fit(model: keras.Model, steps: int, **more) -> int:
        if steps < steps_an_epoch:
            model.fit(x, y, batch_size=workload.batch_size, steps_per_epoch=steps, verbose=0, **more)
            return steps
        epochs = -(-steps // steps_an_epoch)
        model.fit(x, y, batch_size=workload.batch_size, epochs=epochs, verbose=0, **more)
        return epochs * steps_an_epoch

    return fit


def _fit_examples(workload: Workload) -> Callable[..., int]:
    """Returns one long epoch over a dataset as the guides of tf.data have it: single examples, cached."""
    examples = tf.data.Dataset.from_tensor_slices(workload.arrays()).cache().shuffle(workload.examples).repeat()
    return _fit_dataset(examples.batch(workload.batch_size, drop_remainder=True))


def _fit_gathered(workload: Workload) -> Callable[..., int]:
    """Returns one long epoch over a dataset of shuffled indices, which gathers each batch at once from tensors."""
    x, y = map(tf.constant, workload.arrays())
    indices = tf.data.Dataset.range(workload.examples).shuffle(workload.examples).repeat()
    batches = indices.batch(workload.batch_size, drop_remainder=True)
    return _fit_dataset(batches.map(lambda batch: (tf.gather(x, batch), tf.gather(y, batch))))


def _fit_dataset(batches: tf.data.Dataset) -> Callable[..., int]:
    ahead = batches.prefetch(tf.data.AUTOTUNE)

    def fit(model: keras.Model, steps: int, **more) -> int:
        model.fit(ahead, steps_per_epoch=steps, verbose=0, **more)
        return steps

    return fit


# How the examples reach `fit`: each trains a model for at least so many steps, and returns for how many.
FEEDS = {"arrays": _fit_arrays, "tf.data of examples": _fit_examples, "tf.data of indices": _fit_gathered}


class _Penalty(keras.layers.Layer):
    def call(self, outputs):
        self.add_loss(PENALTY * keras.ops.mean(keras.ops.square(outputs)))
        return outputs


class _Means(keras.callbacks.Callback):
    """After each batch, the mean of the total loss so far."""

    def __init__(self):
        super().__init__()
        self.found = []

    def on_train_batch_end(self, batch, logs=None):
        self.found.append(logs["loss"])


class _Reached(Exception):
    """Ends a training that took long enough."""


class _TenSteps(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 9:
            raise _Reached
