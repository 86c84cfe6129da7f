"""Tap: a model that also returns the activations and weights that some keys name."""

import functools
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import keras
import tensorflow as tf

from objectives import ConfigurationError, Key
from objectives.blame import blamed
from objectives.errors import Mistakes
from objectives.indices import guarded, poison, unguarded
from objectives.keras_tensors import changed
from objectives.keys import has_star, named, split_key
from objectives.quantities import quantity
from objectives.ranges import poisoned, safe_indices
from trainer.steps.layers.auto_names import aliases, by_either_name
from trainer.steps.layers.known_inputs import taken


class Tap:
    """Calls a model, and returns its outputs with the layer outputs that keys name.

    It listens to the layers' own calls, so that layers of functional, sequential, nested and subclassed models
    are reached alike, without a second forward pass. A layer that is called several times in one pass gives a
    list: `activations.encoder.0`, `activations.encoder.1`. So do several layers or variables of one path: a key with
    a star takes all of them, one without has to say which, `weights.dense/kernel.1`.

    While it calls the model, an index that an `Embedding` has no row for makes what the layer puts out for it NaN, and
    is recorded (see `objectives.ranges`).

    Attributes:
      model: the model.
      keys: what is read, of any root.
      weights: the variables that keys name, by their path; a list where several have one.

    Raises:
      ConfigurationError: a key names no layer or variable of the model, or several; all such keys are reported at once.

    >>> model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(1)])
    >>> outputs, activations = Tap(model, ["outputs", "activations.hidden"])(keras.ops.ones([4, 2]), training=True)
    >>> outputs.shape, activations["hidden"].shape
    (TensorShape([4, 1]), TensorShape([4, 3]))
    """

    def __init__(self, model: keras.Model, keys: Iterable[Key], *, readers: Mapping[Key, str] = MappingProxyType({})):
        """Finds what the keys name.

        Args:
          model: the model.
          keys: of the terms; those of other roots than `activations` and `weights` are left alone.
          readers: of keys, who reads them, in words, for messages.
        """
        self.model, self.keys = model, frozenset(keys)
        layers = _by_path(layer_paths(model))
        variables = _by_path((variable.path, variable) for variable in model.variables)
        fresh = aliases(model, [*itertools.chain.from_iterable(layers.values())], [*layers, *variables])
        mistakes = Mistakes()
        self._layers: dict[str, list[keras.Layer]] = {}
        self._wanted: set[str] = set()  # by a key without a star
        self.weights: dict[str, keras.Variable | list[keras.Variable]] = {}
        for key in sorted(self.keys):
            with mistakes.gathered(readers.get(key, "")):
                root, path = split_key(key)
                if root == "activations":
                    found = named(path, by_either_name(path, layers, fresh, key), key)
                    self._layers.update(_unambiguous(found, path, key))
                    self._wanted.update(found if not has_star(key) else ())
                elif root == "weights":
                    found = _unambiguous(named(path, by_either_name(path, variables, fresh, key), key), path, key)
                    self.weights.update({name: of if len(of) > 1 else of[0] for name, of in found.items()})
        mistakes.raise_any()
        for path, layer in layer_paths(model):
            if isinstance(layer, keras.layers.Embedding):
                _guard(path, layer)
        for layer in itertools.chain.from_iterable(self._layers.values()):
            _listen(layer)

    def __call__(self, inputs: Any, *, training: bool) -> tuple[Any, dict[str, Any]]:
        """Returns the model's outputs, and the activations by layer path, in the order of the layers' first calls.

        Raises:
          ConfigurationError: the model adds losses of its own, or did not call a layer that a key without a star names.
        """
        whose = f"the model {self.model.name!r}"
        with _Recording() as calls, blamed(whose), guarded(whose) as flags:
            outputs = self.model(taken(self.model, inputs), training=training)
        self._refuse_own_losses()
        order = {layer: i for i, layer in enumerate(calls)}
        paths = sorted(self._layers, key=lambda path: min(order.get(id(one), -1) for one in self._layers[path]))
        calls_of = {path: [calls.get(id(layer), []) for layer in self._layers[path]] for path in paths}
        heard = {path: self._heard(path, [*itertools.chain.from_iterable(of)]) for path, of in calls_of.items()}
        activations = {path: of if len(of) > 1 else of[0] for path, of in heard.items() if of}
        found = outputs, activations
        return tf.nest.map_structure(functools.partial(_poisoned, flags), found) if flags else found

    def _heard(self, path: str, outputs: list[Any]) -> list[Any]:
        """Returns the outputs of a layer, call by call; none if they cannot be read and only stars ask for them."""
        readable = not any(output is _ELSEWHERE for output in outputs)
        if path in self._wanted and not (outputs and readable):
            raise ConfigurationError(
                f"key 'activations.{path}': the model "
                + (
                    "has this layer but did not call it"
                    if readable
                    else "calls this layer in a loop, as a recurrent layer "
                    "does with its cell, where its tensors cannot be read; expected the layer around it"
                )
            )
        return outputs if readable else []

    def _refuse_own_losses(self) -> None:
        # They would be neither optimised nor logged, without a warning.
        if self.model.losses:
            raise ConfigurationError(
                f"the model adds {quantity(len(self.model.losses), 'loss', 'losses')} of its own (add_loss or a "
                f"layer's regularizer), which no term shows; expected a model without them: state each as a term, such "
                f"as WeightDecay for a kernel's regularizer, ActivationPenalty for that of an activity, or FunctionTerm"
            )


def _by_path(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    """Groups layers or variables by path, as several of subclassed models may share one."""
    found: dict[str, list[Any]] = {}
    for path, thing in pairs:
        others = found.setdefault(path, [])
        if all(thing is not other for other in others):
            others.append(thing)
    return found


def _unambiguous(found: dict[str, list[Any]], path: str, key: Key) -> dict[str, list[Any]]:
    """Returns what a key names; raises ConfigurationError if several things have its path."""
    several = found.get(path, []) if "*" not in path else []
    if len(several) > 1:
        shapes = ", ".join(str(tuple(thing.shape)) for thing in several if isinstance(thing, keras.Variable))
        what = f"variables, {shapes}" if shapes else "layers"
        raise ConfigurationError(
            f"key {key!r} is the path of {len(several)} {what}; expected one: a name of its own for each layer, or "
            f"{f'{key}.0'!r} to {f'{key}.{len(several) - 1}'!r}, or a star for all"
        )
    return found


def layer_paths(model: keras.Model) -> Iterator[tuple[str, keras.Layer]]:
    """Yields every layer and operation of a model with its path, such as `encoder/conv3`; parents before children."""
    for layer in _children(model):
        yield layer.name, layer
        for path, child in layer_paths(layer):
            yield f"{layer.name}/{path}", child


def _children(layer: Any) -> list[Any]:
    # A functional model's operations include sums and slices that are no layers but have outputs too.
    if isinstance(layer, keras.Sequential):
        found = layer.layers
    elif hasattr(layer, "operations"):
        found = layer.operations
    elif isinstance(layer, keras.Layer):
        found = layer._flatten_layers(include_self=False, recursive=False)
    else:
        found = []
    return [child for child in found if not isinstance(child, keras.layers.InputLayer)]


# The outputs of the layers in this thread while they are recorded; replicas are traced in threads of their own.
_heard = threading.local()

# Stands for outputs in another graph than the recording one.
_ELSEWHERE = object()


class _Recording:
    """Records the outputs of the layers listened to, by the layer's id, in the order of their calls.

    Of a call in another graph, such as that of a recurrent layer's cell in its loop, there is no tensor in this one.
    """

    def __enter__(self) -> dict[int, list[Any]]:
        _heard.calls, _heard.graph = {}, tf.compat.v1.get_default_graph()
        return _heard.calls

    def __exit__(self, *_: object) -> None:
        _heard.calls = None


def _guard(path: str, layer: keras.layers.Embedding) -> None:
    """Makes an embedding obey the range of its indices while a recording of its thread is open; once for good."""
    if getattr(layer.call, "guards", False):
        return
    call, rows = layer.call, layer.input_dim
    whole = type(layer).call is keras.layers.Embedding.call

    @functools.wraps(call)
    def guarding(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        listened = getattr(_heard, "calls", None) is not None
        if not (listened and tf.is_tensor(inputs) and (whole or inputs.dtype.is_integer)):
            return call(inputs, *args, **kwargs)
        # As in Keras, which also accepts whole numbers that are floats.
        indices = inputs if inputs.dtype.is_integer else tf.cast(inputs, tf.int32)
        expected = f"whole numbers from 0 to {rows - 1} (its input_dim is {rows})"
        indices, outside = safe_indices(f"the inputs of the layer {path!r}", indices, rows, expected=expected)
        with unguarded():
            return poisoned(call(indices, *args, **kwargs), outside)

    guarding.guards = True  # type: ignore[attr-defined]
    layer.call = guarding


def _poisoned(flags: list[tf.Tensor], leaf: Any) -> Any:
    """Returns an output with its Keras mask and logits, NaN if one of the flags is True."""
    if leaf is None or not leaf.dtype.is_floating:
        return leaf
    return changed(leaf, lambda x: x + tf.cast(poison(flags), x.dtype))


def _listen(layer: keras.Layer) -> None:
    """Makes a layer tell the recording of its thread, if one is open, what it returns; once for good."""
    if getattr(layer.call, "tells", False):
        return
    layer.call = _telling(layer, layer.call)


def _telling(layer: keras.Layer, call: Callable) -> Callable:
    @functools.wraps(call)
    def telling(*args: Any, **kwargs: Any) -> Any:
        outputs = call(*args, **kwargs)
        calls = getattr(_heard, "calls", None)
        if calls is not None:
            here = tf.compat.v1.get_default_graph() is _heard.graph
            calls.setdefault(id(layer), []).append(outputs if here else _ELSEWHERE)
        return outputs

    telling.tells = True  # type: ignore[attr-defined]
    return telling
