"""Keras fit as a peer: a compiled loss, and the penalty by `add_loss`."""

import contextlib
from collections.abc import Callable

import keras
import numpy as np

from benchmarks.keras_models import adam, build_model, cross_entropy, strategy_over
from benchmarks.workloads import PENALTY, Workload


def build(workload: Workload, *, devices: int = 1, **compiled) -> tuple[Callable[[int], int], str]:
    """See `benchmarks`; options are those of `keras.Model.compile`."""
    model, (x, y) = _compiled(workload, devices, **compiled), workload.arrays()
    steps_an_epoch = workload.examples // workload.batch_size

    def run(steps: int) -> int:
        epochs = -(-steps // steps_an_epoch)
        model.fit(x, y, batch_size=workload.batch_size, epochs=epochs, verbose=0)
        return epochs * steps_an_epoch

    return run, ", ".join(f"{name}={value}" for name, value in compiled.items()) or "as it comes"


def losses(workload: Workload, steps: int, *, devices: int = 1, **compiled) -> list[float]:
    """See `benchmarks`."""
    means, examples = _Means(), steps * workload.batch_size
    x, y = (array[:examples] for array in workload.arrays())
    model = _compiled(workload, devices, **compiled)
    model.fit(x, y, batch_size=workload.batch_size, shuffle=False, verbose=0, callbacks=[means])
    return np.diff(np.array(means.found) * np.arange(1, steps + 1), prepend=0.0).tolist()


def launch(workload: Workload) -> None:
    """See `benchmarks`."""
    reached, (x, y) = _TenSteps(), workload.arrays()
    with contextlib.suppress(_Reached):
        _compiled(workload, 1).fit(x, y, batch_size=workload.batch_size, verbose=0, callbacks=[reached])


def _compiled(workload: Workload, devices: int, **compiled) -> keras.Model:
    with strategy_over(devices).scope():
        network = build_model(workload)
        inputs = keras.Input(workload.inputs)
        model = keras.Model(inputs, _Penalty()(network(inputs)))
        model.compile(optimizer=adam(), loss=cross_entropy(), **compiled)
    return model


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
    """Ends a training that has gone on for long enough."""


class _TenSteps(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 9:
            raise _Reached
