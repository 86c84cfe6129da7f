"""Tap: a model's multi-output view, with exactly the activations and weights that some key names."""

import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import tensorflow as tf

from objectives import ConfigurationError, Key
from objectives.blame import blamed
from objectives.errors import Mistakes
from objectives.keys import has_star, named, split_key
from trainer.steps.auto_names import aliases, by_either_name


class Tap:
    """Calls a model and also returns what the layers put out that keys name.

    It listens to the layers' own calls, so that layers of functional, sequential, nested and subclassed models
    are reached alike, without a second forward pass. A layer that is called several times in one pass gives a
    list: `activations.encoder.0`, `activations.encoder.1`.

    Attributes:
      model: the model.
      weights: the variables that keys name, by their path.

    Raises:
      ConfigurationError: a key names no layer or variable of the model; all such keys are reported at once.

    >>> model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(1)])
    >>> outputs, activations = Tap(model, ["outputs", "activations.hidden"])(keras.ops.ones([4, 2]), training=True)
    >>> outputs.shape, activations["hidden"].shape
    (TensorShape([4, 1]), TensorShape([4, 3]))
    """

    def __init__(self, model: keras.Model, keys: Iterable[Key]):
        self.model = model
        layers, variables = dict(layer_paths(model)), {variable.path: variable for variable in model.variables}
        fresh = aliases(model, layers.values(), [*layers, *variables])
        mistakes = Mistakes()
        self._layers: dict[str, keras.Layer] = {}
        self._wanted: set[str] = set()  # by a key without a star
        self.weights: dict[str, keras.Variable] = {}
        for key in sorted(keys):
            with mistakes.gathered():
                root, path = split_key(key)
                if root == "activations":
                    found = named(path, by_either_name(path, layers, fresh, key), key)
                    self._layers.update(found)
                    self._wanted.update(found if not has_star(key) else ())
                elif root == "weights":
                    self.weights.update(named(path, by_either_name(path, variables, fresh, key), key))
        mistakes.raise_any()
        for layer in self._layers.values():
            _listen(layer)

    def __call__(self, inputs: Any, *, training: bool) -> tuple[Any, dict[str, Any]]:
        """The model's outputs, and the activations by layer path.

        Raises:
          ConfigurationError: the model adds losses of its own, or did not call a layer that a key without a star names.
        """
        with _Recording() as calls, blamed(f"the model {self.model.name!r}"):
            outputs = self.model(inputs, training=training)
        self._refuse_own_losses()
        heard = {path: self._heard(path, calls.get(id(layer), [])) for path, layer in self._layers.items()}
        return outputs, {path: of if len(of) > 1 else of[0] for path, of in heard.items() if of}

    def _heard(self, path: str, outputs: list[Any]) -> list[Any]:
        """What a layer put out, call by call; nothing where it cannot be read and only stars ask for it."""
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
        # They would be neither optimised nor logged, and nobody would notice.
        if self.model.losses:
            raise ConfigurationError(
                f"the model adds {len(self.model.losses)} losses of its own (add_loss or a layer's regularizer), which "
                f"no term shows; expected a model without them: state each as a term, such as ActivationPenalty"
            )


def layer_paths(model: keras.Model) -> Iterator[tuple[str, keras.Layer]]:
    """Every layer and operation of a model with its path, such as `encoder/conv3`; parents before children."""
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


# What the layers of this thread put out, while somebody listens: replicas are traced in threads of their own.
_heard = threading.local()

# Stands for outputs that lie in another graph than the one that listens.
_ELSEWHERE = object()


class _Recording:
    """While it is open, the outputs of every layer listened to, by the layer's id, in the order of its calls.

    Of a call in another graph, such as that of a recurrent layer's cell in its loop, there is no tensor in this one.
    """

    def __enter__(self) -> dict[int, list[Any]]:
        _heard.calls, _heard.graph = {}, tf.compat.v1.get_default_graph()
        return _heard.calls

    def __exit__(self, *_: object) -> None:
        _heard.calls = None


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
