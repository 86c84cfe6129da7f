"""Listening: layers tell a recording of their thread what they return, and what they apply their activation to."""

import functools
import threading
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from objectives.indices import unguarded
from objectives.ranges import poisoned, safe_indices

# Stands for tensors in another graph than the recording one.
ELSEWHERE = object()

# The recording of this thread while one is open; replicas are traced in threads of their own.
_heard = threading.local()


class Recording:
    """Records what the layers listened to make, by the layer's id, in the order of their calls.

    Of a call in another graph, such as that of a recurrent layer's cell in its loop, there is no tensor in this one.

    Attributes:
      returned: what layers returned.
      activated: what layers applied their own activation function to.
    """

    def __init__(self, watch: Callable[[Any], None] = lambda tensors: None):
        """Makes a recording.

        Args:
          watch: called with tensors as soon as they are made, before anything is computed of them.
        """
        self.returned: dict[int, list[Any]] = {}
        self.activated: dict[int, list[Any]] = {}
        self._watch, self._graph = watch, tf.compat.v1.get_default_graph()

    def __enter__(self) -> "Recording":
        _heard.recording = self
        return self

    def __exit__(self, *_: object) -> None:
        _heard.recording = None

    def note(self, made: dict[int, list[Any]], layer: keras.Layer, tensors: Any) -> None:
        """Notes what a layer made in `returned` or `activated`."""
        here = tf.compat.v1.get_default_graph() is self._graph
        if here:
            self._watch(tensors)
        made.setdefault(id(layer), []).append(tensors if here else ELSEWHERE)


def has_activation(layer: keras.Layer) -> bool:
    """Returns whether a layer has an activation function of its own, which it applies itself.

    >>> has_activation(keras.layers.Dense(2, "relu")), has_activation(keras.layers.Flatten())
    (True, False)
    """
    return callable(vars(layer).get("activation"))


def listen(layer: keras.Layer) -> None:
    """Makes a layer tell the recording of its thread, if one is open, what it returns; once for good."""
    if not getattr(layer.call, "tells", False):
        layer.call = _telling(layer, layer.call)


def listen_before(layer: keras.Layer) -> None:
    """Makes a layer tell what it applies its activation function to, likewise."""
    if not getattr(layer.call, "tells_before", False):
        layer.call = _telling_before(layer, layer.call)


def guard(path: str, layer: keras.layers.Embedding) -> None:
    """Makes an embedding obey the range of its indices while a recording of its thread is open; once for good."""
    if getattr(layer.call, "guards", False):
        return
    call, rows = layer.call, layer.input_dim
    whole = type(layer).call is keras.layers.Embedding.call

    @functools.wraps(call)
    def guarding(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if not (_recording() is not None and tf.is_tensor(inputs) and (whole or inputs.dtype.is_integer)):
            return call(inputs, *args, **kwargs)
        # As in Keras, which also accepts whole numbers that are floats.
        indices = inputs if inputs.dtype.is_integer else tf.cast(inputs, tf.int32)
        expected = f"whole numbers from 0 to {rows - 1} (its input_dim is {rows})"
        indices, outside = safe_indices(f"the inputs of the layer {path!r}", indices, rows, expected=expected)
        with unguarded():
            return poisoned(call(indices, *args, **kwargs), outside)

    guarding.guards = True  # type: ignore[attr-defined]
    layer.call = guarding


def _telling(layer: keras.Layer, call: Callable) -> Callable:
    @functools.wraps(call)
    def telling(*args: Any, **kwargs: Any) -> Any:
        outputs = call(*args, **kwargs)
        if (recording := _recording()) is not None:
            recording.note(recording.returned, layer, outputs)
        return outputs

    telling.tells = True  # type: ignore[attr-defined]
    return telling


def _telling_before(layer: keras.Layer, call: Callable) -> Callable:
    @functools.wraps(call)
    def telling(*args: Any, **kwargs: Any) -> Any:
        if (recording := _recording()) is None:
            return call(*args, **kwargs)
        activation = vars(layer)["activation"]

        def noted(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            recording.note(recording.activated, layer, tensor)
            return activation(tensor, *args, **kwargs)

        # Past Keras, which tracks what a layer is given; and for this call only, as Keras saves the function's name.
        vars(layer)["activation"] = noted
        try:
            return call(*args, **kwargs)
        finally:
            vars(layer)["activation"] = activation

    telling.tells_before = True  # type: ignore[attr-defined]
    return telling


def _recording() -> Recording | None:
    return getattr(_heard, "recording", None)
