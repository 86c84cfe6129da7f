"""Loaded: an exported model as another program loads it, which has to give the outputs of the model itself."""

import importlib.util
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from trainer.saved.signature import Signature, argument_name, safe_name

# Gives the outputs of a model by name for inputs by name.
Loaded: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any]]

# How many examples there are in a trial, and how long axes are whose length a model leaves open.
_EXAMPLES, _LENGTH = 3, 32


def load_keras(place: pathlib.Path, signature: Signature) -> Loaded:
    """Loads a `.keras` file, which has to need no code but that of Keras."""
    model = keras.models.load_model(place)
    return lambda inputs: signature.call(model, inputs)


def load_saved_model(place: pathlib.Path, signature: Signature) -> Loaded:
    """Loads a SavedModel by its serving signature."""
    loaded = tf.saved_model.load(str(place))  # which the function does not keep alive

    def call(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        serve = loaded.signatures["serving_default"]
        outputs = serve(**{argument_name(name): value for name, value in inputs.items()})
        return {name: outputs[safe_name(name)] for name in signature.outputs}

    return call


def load_onnx(place: pathlib.Path, signature: Signature) -> Loaded | None:
    """Loads an ONNX file, if there is a runtime for it here."""
    if importlib.util.find_spec("onnxruntime") is None:
        return None
    import onnxruntime

    session = onnxruntime.InferenceSession(str(place))
    names = [output.name for output in session.get_outputs()]

    def call(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        values = session.run(None, {argument_name(name): np.asarray(value) for name, value in inputs.items()})
        by_name = dict(zip(names, values, strict=True))
        return {name: by_name[safe_name(name)] for name in signature.outputs}

    return call


def require_equal(model: keras.Model, signature: Signature, loaded: Loaded, form: str) -> None:
    """Raises ConfigurationError where what was loaded gives other outputs than the model on some examples.

    A model that gives other outputs each time, as it draws random numbers, cannot be compared.
    """
    inputs = {name: _example(spec) for name, spec in signature.inputs.items()}

    @tf.function  # which rounds as other programs will
    def call(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return signature.call(model, inputs)

    outputs, again, found = call(inputs), call(inputs), loaded(inputs)
    tolerance = _tolerance(model)
    for name in (name for name, spec in signature.outputs.items() if spec.dtype != tf.string):
        own, own_again, other = (tf.cast(one[name], tf.float64).numpy() for one in (outputs, again, found))
        bound = tolerance * np.nanmax(np.abs(own), initial=0.0)
        is_random = not np.array_equal(own, own_again, equal_nan=True)
        if not is_random and not np.allclose(own, other, rtol=tolerance, atol=bound, equal_nan=True):
            raise ConfigurationError(
                f"the model that was written as {form} gives another {name!r} than the model itself, by up to "
                f"{np.nanmax(np.abs(own - other)):.2g}, so that nothing is kept; expected another format"
            )


def _tolerance(model: keras.Model) -> float:
    """Returns how much outputs may differ by rounding, relative to the largest: more if a layer computes in 16 bits."""
    halves = [layer.name for layer in model._flatten_layers() if layer.compute_dtype in ("float16", "bfloat16")]
    return 0.03 if halves else 1e-5


def _example(spec: tf.TensorSpec) -> tf.Tensor:
    shape = [_EXAMPLES, *(length or _LENGTH for length in spec.shape[1:])]
    if spec.dtype.is_floating:
        return tf.random.stateless_normal(shape, seed=[0, 0], dtype=spec.dtype)
    return tf.zeros(shape, spec.dtype)
