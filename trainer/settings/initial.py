"""Initial: what the model of a run begins with, the values of its weights and which of them are frozen."""

import hashlib
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from trainer.steps.variables.state import Variable, parts_of

# Of a variable with more values, only so many to twice as many are in the digest, evenly spaced.
_VALUES = 2**16


def describe_initial(model: keras.Model) -> dict[str, str]:
    """Returns a digest of the weights of a model, and its frozen layers, by number and kind, as text by name.

    A layer is frozen if a variable that it was made to train is not trainable now.

    >>> keras.utils.set_random_seed(0)
    >>> model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3), keras.layers.Dense(1)])
    >>> model.layers[0].trainable = False
    >>> describe_initial(model)["frozen layers"]
    'layer 1 = Dense'
    """
    layers = [layer for layer in model._flatten_layers() if not isinstance(layer, keras.layers.InputLayer)]
    frozen = [
        f"layer {number} = {type(layer).__name__}"
        for number, layer in enumerate(layers)
        if not all(variable.trainable for variable in layer._trainable_variables)
    ]
    return {"initial weights": digest_of(model.weights), "frozen layers": ", ".join(frozen) or "none"}


def digest_of(weights: Sequence[Variable]) -> str:
    """Returns a digest of the values of some variables, as text."""
    digest = hashlib.sha256()
    for weight in weights:
        part = parts_of(weight)[0]  # reading the whole would have all workers take part
        step = max(1, (part.shape.num_elements() or 0) // _VALUES)
        values = np.ascontiguousarray(part.numpy() if step == 1 else tf.reshape(part, [-1])[::step].numpy())
        digest.update(f"{part.dtype.name} {part.shape}".encode() + values.tobytes())
    return f"digest {digest.hexdigest()[:12]}"
