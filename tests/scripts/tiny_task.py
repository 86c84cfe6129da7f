"""A task so small that a whole process with it takes seconds; gin files of the tests beside it import it."""

import dataclasses
import functools
import json
import os

import gin
import keras
import numpy as np
import tensorflow as tf

from trainer import ArraySource, DatasetSource, Task


@gin.register(module="tests")
@dataclasses.dataclass(frozen=True, kw_only=True)
class TinyTask(Task):
    """A sum of three numbers. With `flat_targets` the targets lack their last axis; `masked` ones have a mask.

    The example `poisoned` has an input that is not a number. With `dropout` the model has random numbers and batch
    statistics, of each replica its own. One that is not `measured` fails as it is to be, after training.
    """

    units: int = 4
    flat_targets: bool = False
    masked: bool = False
    poisoned: int | None = None
    dropout: float = 0.0
    dataset: bool = False
    measured: bool = True
    measure_at_evaluations: bool = False

    @functools.cached_property
    def train(self):
        return self._examples(0)

    @functools.cached_property
    def eval(self):
        return self._examples(1)

    def build_model(self):
        inputs = keras.Input([3])
        hidden = keras.layers.Dense(self.units, activation="tanh", name="hidden")(inputs)
        if self.dropout:
            hidden = keras.layers.Dropout(self.dropout)(keras.layers.BatchNormalization()(hidden))
        return keras.Model(inputs, keras.layers.Dense(1, name="head")(hidden))

    def measure(self, model):
        if not self.measured:
            raise OSError("the reference is gone")
        return {"bias of the head": float(model.get_layer("head").bias.numpy()[0])}

    def _examples(self, seed):
        rng = np.random.default_rng(seed)
        # As if one of several workers read another file to evaluate on.
        x = rng.normal(size=[int(os.environ.get("TINY_EVALUATED", 50)) if seed else 50, 3])
        y = x.sum(axis=1, keepdims=not self.flat_targets)
        if self.poisoned is not None:
            x[self.poisoned, 0] = np.nan
        if self.dataset:
            return DatasetSource(lambda seed: tf.data.Dataset.from_tensor_slices((x, y)).shuffle(20, seed=seed))
        return ArraySource(x, {"y": y, "mask": rng.random(y.shape) < 0.6} if self.masked else y)


@gin.register(module="tests")
class DrawnTask(TinyTask):
    """The same, which draws models side by side: as text, which a test can read, in a folder that is there."""

    def draw_models(self, models, folder):
        file = folder / "biases.json"
        file.write_text(json.dumps({name: self.measure(model) for name, model in models.items()}))
        return [file]
