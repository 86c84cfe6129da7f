"""Keras fit that logs every step, as a peer: terms are metrics, which a callback writes after each batch.

What `fit` tells callbacks are means since the epoch began. That is less than the values of each step, and takes less
time than metrics that forget after each.
"""

import csv
import pathlib
import tempfile
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from termwise.benchmarks.keras_fit import FEEDS, compiled_model
from termwise.benchmarks.workloads import PENALTY, Workload


def build(workload: Workload, *, feed: str, writer: str, jit_compile: bool) -> tuple[Callable[[int], int], str]:
    """See `benchmarks`.

    Args:
      workload: what is learned.
      feed: one of `keras_fit.FEEDS`.
      writer: "csv.writer" or "TensorBoard".
      jit_compile: of `keras.Model.compile`.
    """
    folder = tempfile.TemporaryDirectory()
    model, fit = _compiled(workload, jit_compile), FEEDS[feed](workload)

    def run(steps: int) -> int:
        return fit(model, steps, callbacks=[_WRITERS[writer](pathlib.Path(folder.name))])

    return run, f"{writer}, {feed}, jit_compile={jit_compile}"


def losses(workload: Workload, steps: int, *, feed: str, writer: str, jit_compile: bool) -> list[float]:
    """See `benchmarks`: the sums of the terms that were logged; of arrays and as CSV, which keep the order."""
    x, y = (array[: steps * workload.batch_size] for array in workload.arrays())
    with tempfile.TemporaryDirectory() as folder:
        rows = _Rows(pathlib.Path(folder))
        model = _compiled(workload, jit_compile)
        model.fit(x, y, batch_size=workload.batch_size, shuffle=False, verbose=0, callbacks=[rows])
        with rows.path.open(newline="") as file:
            means = np.array([float(row["data"]) + float(row["penalty"]) for row in csv.DictReader(file)])
    return np.diff(means * np.arange(1, steps + 1), prepend=0.0).tolist()


def _compiled(workload: Workload, jit_compile: bool) -> keras.Model:
    terms = [keras.metrics.MeanMetricWrapper(term, name=name) for name, term in _TERMS.items()]
    return compiled_model(workload, metrics=terms, jit_compile=jit_compile)


def _cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def _penalty(_: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return PENALTY * keras.ops.mean(keras.ops.square(logits), axis=-1)


_TERMS = {"data": _cross_entropy, "penalty": _penalty}


class _Rows(keras.callbacks.Callback):
    """Writes a row of CSV a step."""

    def __init__(self, folder: pathlib.Path):
        super().__init__()
        self.path = folder / "terms.csv"

    def on_train_begin(self, logs=None):
        self._file = self.path.open("w", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(_TERMS)

    def on_train_batch_end(self, batch, logs=None):
        self._rows.writerow([logs[name] for name in _TERMS])

    def on_train_end(self, logs=None):
        self._file.close()


def _tensorboard(folder: pathlib.Path) -> keras.callbacks.Callback:
    return keras.callbacks.TensorBoard(str(folder), update_freq=1)


_WRITERS = {"csv.writer": _Rows, "TensorBoard": _tensorboard}
