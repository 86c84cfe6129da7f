"""Known outputs: what a model says of its outputs before it is called."""

from typing import Any

import keras


def known_outputs(model: keras.Model) -> Any:
    """Returns the outputs of a model as tensors without values, `[None, ...]`; None where it does not tell.

    A model with a `call` of its own does not tell its shapes, and one whose layers make Keras masks which values count.

    >>> known_outputs(keras.Sequential([keras.Input([5]), keras.layers.Dense(3)])).shape
    (None, 3)
    """
    functional = getattr(model, "_functional", None) or model
    return None if makes_masks(model) else getattr(functional, "_outputs_struct", None)


def makes_masks(model: keras.Model) -> bool:
    """Returns whether a layer of a model may attach a Keras mask to its output, other than one that it passes on."""
    return any(map(_makes_masks, model._flatten_layers()))


def _makes_masks(layer: keras.Layer) -> bool:
    is_own = not type(layer).__module__.startswith("keras.")
    computes = type(layer).compute_mask is not keras.Layer.compute_mask
    return isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False) or (is_own and computes)
