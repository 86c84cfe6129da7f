"""Signature: what a model takes and gives back, as tensors by name with their shapes and types."""

import dataclasses
import keyword
import re
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from objectives import ConfigurationError
from trainer.steps.layers.auto_names import aliases
from trainer.steps.layers.known_inputs import known_inputs

# Which the functions of TensorFlow have themselves.
_SELF = "self"


@dataclasses.dataclass(frozen=True)
class Signature:
    """The inputs and outputs of a model. The first axis is that of examples, of any number.

    Attributes:
      inputs: the type and shape of each input by its name.
      outputs: those of each output.
      pack: makes what the model is called with of the inputs by name.
      unpack: makes outputs by name of what the model returns.
    """

    inputs: Mapping[str, tf.TensorSpec]
    outputs: Mapping[str, tf.TensorSpec]
    pack: Callable[[Mapping[str, Any]], Any]
    unpack: Callable[[Any], dict[str, Any]]

    def call(self, model: keras.Model, by_name: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the outputs by name of a model of this signature, as it is used after training."""
        return self.unpack(model(self.pack(by_name), training=False))


def signature_of(model: keras.Model, types: Mapping[str, str] | None = None) -> Signature:
    """Returns the signature of a built model.

    Inputs and outputs in a dict have their keys as names, others the names of their layers. Without a name, as in
    `keras.Input([3])` and in a model with a `call` of its own, a single one is `inputs` or `outputs`, and several are
    `inputs_0`, `inputs_1`.

    Args:
      model: the model.
      types: the types of inputs by name, for a model with a `call` of its own, of which Keras knows the shapes alone.

    Raises:
      ConfigurationError: Keras does not know the shapes of the inputs.

    >>> x = keras.Input([3], name="x")
    >>> signature = signature_of(keras.Model(x, keras.layers.Dense(1, name="head")(x)))
    >>> signature.inputs["x"].shape, signature.outputs["head"].shape
    (TensorShape([None, 3]), TensorShape([None, 1]))
    """
    functional = getattr(model, "_functional", None) or model
    if isinstance(functional, keras.Model) and hasattr(functional, "_inputs_struct"):
        given = functional._inputs_struct
        inputs = {name: _spec(one.shape, one.dtype) for name, one in _named(given, _names_of_inputs(given)).items()}
        fresh = {path: alias for alias, path in aliases(model, model.layers, functional.output_names).items()}
        names_of_outputs = _unique([fresh.get(name, name) for name in functional.output_names])
    else:
        given = _recorded(model)
        known = types or {}
        inputs = {name: _spec(one.shape, known.get(name, one.dtype)) for name, one in _named(given, "inputs").items()}
        names_of_outputs = None

    def pack(by_name: Mapping[str, Any]) -> Any:
        return keras.tree.pack_sequence_as(given, [by_name[name] for name in inputs])

    def unpack(outputs: Any) -> dict[str, Any]:
        return _named(outputs, names_of_outputs or "outputs")

    called = tf.function(lambda by_name: unpack(model(pack(by_name), training=False))).get_concrete_function(inputs)
    outputs = {name: _spec(one.shape, one.dtype) for name, one in called.structured_outputs.items()}
    return Signature(inputs, outputs, pack, unpack)


def described(spec: tf.TensorSpec) -> str:
    """Describes a tensor in words.

    >>> described(tf.TensorSpec([None, 3], tf.float32))
    'float32 [examples, 3]'
    """
    lengths = ["examples", *("any" if length is None else str(length) for length in spec.shape[1:])]
    return f"{spec.dtype.name} [{', '.join(lengths)}]"


def safe_name(name: str) -> str:
    """Returns a name as signatures of TensorFlow can have it.

    >>> safe_name("image.left")
    'image_left'
    """
    return re.sub(r"\W", "_", name)


def argument_name(name: str) -> str:
    """Returns the name of an input as that of an argument, which Python can write.

    >>> argument_name("image.left"), argument_name("class"), argument_name("1st")
    ('image_left', 'class_', 'arg_1st')
    """
    safe = safe_name(name)
    if keyword.iskeyword(safe) or safe == _SELF:
        return f"{safe}_"
    return safe if safe.isidentifier() else f"arg_{safe}"


def _spec(shape: Any, dtype: Any) -> tf.TensorSpec:
    return tf.TensorSpec([None, *tuple(shape)[1:]], tf.as_dtype(dtype))


def _named(structure: Any, names: Any) -> dict[str, Any]:
    """Returns the leaves of a structure by name: the path where there are keys, else given names, or numbered ones."""
    found = keras.tree.flatten_with_path(structure)
    has_keys = any(isinstance(step, str) for path, _ in found for step in path)
    if has_keys:
        return {".".join(map(str, path)): leaf for path, leaf in found}
    if isinstance(names, str):
        names = [names] if len(found) == 1 else [f"{names}_{number}" for number in range(len(found))]
    return {name: leaf for name, (_, leaf) in zip(names, found, strict=True)}


def _names_of_inputs(structure: Any) -> list[str] | str:
    """Returns the names that a model's author gave to its inputs; `inputs` where Keras has only numbered them."""
    names = [tensor.name for tensor in keras.tree.flatten(structure)]
    return "inputs" if any(re.fullmatch(r"(keras_tensor|input_layer)(_\d+)?", name) for name in names) else names


def _unique(names: list[str]) -> list[str]:
    """Returns names of which those that occur again have a number.

    >>> _unique(["head", "head", "tail"])
    ['head', 'head_1', 'tail']
    """
    counts = (names[:place].count(name) for place, name in enumerate(names))
    return [f"{name}_{count}" if count else name for name, count in zip(names, counts, strict=True)]


def _recorded(model: keras.Model) -> Any:
    """Returns what a model with a `call` of its own was built with, as a structure of tensors without values."""
    found = known_inputs(model)
    if found is None:
        raise ConfigurationError(
            f"the model {model.name!r} has a call() of its own that was never called on one structure of inputs, so "
            f"that their shapes are not known; expected build_model() to call it once on some inputs"
        )
    return found


def types_of_inputs(data: Mapping[str, str]) -> dict[str, str]:
    """Returns the types of inputs by name, given what a run recorded of its training data.

    >>> types_of_inputs({"inputs.ids": "int32 [50, 6], digest 765723a1", "shuffle": "True"})
    {'ids': 'int32'}
    """
    found = {}
    for name, text in data.items():
        key, kind = re.fullmatch(r"(?:first )?inputs\.?(.*)", name), re.match(r"(\w+) \[", text)
        if key and kind:
            found[key[1] or "inputs"] = kind[1].replace("float64", "float32")
    return found
