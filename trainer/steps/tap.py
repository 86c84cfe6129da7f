"""Tap: a model that also returns the activations, derivatives and weights that some keys name."""

import functools
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from objectives import ConfigurationError, Context, Key
from objectives.blame import blamed
from objectives.derivatives import Derivatives
from objectives.errors import Mistakes
from objectives.indices import guarded, poison
from objectives.keras_tensors import changed
from objectives.keys import has_star, named, pieces, split_key
from objectives.quantities import quantity
from trainer.steps.layers.auto_names import aliases, by_either_name
from trainer.steps.layers.batch_statistics import refuse_mixed_derivatives
from trainer.steps.layers.known_inputs import taken
from trainer.steps.layers.listening import ELSEWHERE, Recording, guard, has_activation, listen, listen_before


class Made(NamedTuple):
    """What a forward pass made, as the fields of a `Context` that bear these names."""

    outputs: Any
    activations: Mapping[str, Any]
    preactivations: Mapping[str, Any]
    gradients: Mapping[str, Any]


class Tap:
    """Calls a model, and returns its outputs with the layer outputs and derivatives that keys name.

    It listens to the layers' own calls, so that layers of functional, sequential, nested and subclassed models
    are reached alike, without a second forward pass. A layer that is called several times in one pass gives a
    list: `activations.encoder.0`, `activations.encoder.1`. So do several layers or variables of one path: a key with
    a star takes all of them, one without has to say which, `weights.dense/kernel.1`. `preactivations.encoder` is what
    the layer applies its own activation function to, and `gradients.outputs/inputs` a derivative, see
    `objectives.derivatives`.

    While it calls the model, an index that an `Embedding` has no row for makes what the layer puts out for it NaN, and
    is recorded (see `objectives.ranges`).

    Attributes:
      model: the model.
      keys: what is read, of any root.
      weights: the variables that keys name, by their path; a list where several have one.

    Raises:
      ConfigurationError: a key names no layer or variable of the model, or several; all such keys are reported at once.

    >>> model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(1)])
    >>> made = Tap(model, ["outputs", "activations.hidden"])(keras.ops.ones([4, 2]), training=True)
    >>> made.outputs.shape, made.activations["hidden"].shape
    (TensorShape([4, 1]), TensorShape([4, 3]))
    """

    def __init__(
        self,
        model: keras.Model,
        keys: Iterable[Key],
        *,
        readers: Mapping[Key, str] = MappingProxyType({}),
        remedies: Mapping[Key, str] = MappingProxyType({}),
    ):
        """Finds what the keys name.

        Args:
          model: the model.
          keys: of the terms; those of `inputs` and `targets`, say, are left alone.
          readers: of keys, who reads them, in words, for messages.
          remedies: of keys, what would work where they name nothing, likewise.
        """
        self.model, self.keys = model, frozenset(keys)
        self._whose = f"the model {model.name!r}"
        layers = _by_path(layer_paths(model))
        variables = _by_path((variable.path, variable) for variable in model.variables)
        fresh = aliases(model, [*itertools.chain.from_iterable(layers.values())], [*layers, *variables])
        mistakes = Mistakes()
        # By root: where a layer is called, and where it applies its own activation function.
        self._layers: dict[str, dict[str, list[keras.Layer]]] = {"activations": {}, "preactivations": {}}
        self._wanted: set[Key] = set()  # by a key without a star
        self.weights: dict[str, keras.Variable | list[keras.Variable]] = {}
        applying = {path: [one for one in of if has_activation(one)] for path, of in layers.items()}
        known = {
            "activations": layers,
            "preactivations": {path: of for path, of in applying.items() if of},
            "weights": variables,
        }
        for key in sorted(self.keys):
            with mistakes.gathered(readers.get(key, ""), instead=remedies.get(key, "")):
                _require_one_reading(key, layers)
                for piece in pieces(key):
                    root, path = split_key(piece)
                    if root in known:
                        _require_call_last(piece, layers)
                        found = named(path, by_either_name(path, known[root], fresh, piece), piece)
                        self._note(piece, _unambiguous(found, path, piece))
        mistakes.raise_any()
        for path, layer in layer_paths(model):
            if isinstance(layer, keras.layers.Embedding):
                guard(path, layer)
        for root, notify in (("activations", listen), ("preactivations", listen_before)):
            for layer in itertools.chain.from_iterable(self._layers[root].values()):
                notify(layer)

    def __call__(self, inputs: Any, *, training: bool) -> Made:
        """Returns the model's outputs, and by layer path what layers made, in the order of their first calls.

        Raises:
          ConfigurationError: the model adds losses of its own, or did not call a layer that a key without a star names;
            or a key names a derivative that does not exist, or one that examples do not have by themselves.
        """
        if training:
            refuse_mixed_derivatives(self.model, self.keys)
        derivatives = Derivatives(self.keys)
        listening, differentiating = Recording(derivatives.watch), derivatives.recorded(inputs)
        with listening as recording, differentiating, guarded(self._whose) as flags:
            outputs = self.outputs(inputs, training=training)
        heard = {
            "activations": self._heard("activations", recording.returned),
            "preactivations": self._heard("preactivations", recording.activated),
        }
        # Before tensors are made NaN, which are then others than those that the pass went through.
        made = Made(outputs, gradients={}, **heard)
        made = made._replace(gradients=derivatives.of(Context(inputs=inputs, **made._asdict())))
        return tf.nest.map_structure(functools.partial(_poisoned, flags), made) if flags else made

    def outputs(self, inputs: Any, *, training: bool) -> Any:
        """Returns the model's outputs alone.

        Raises:
          ConfigurationError: the model adds losses of its own.
        """
        with blamed(self._whose):
            outputs = self.model(taken(self.model, inputs), training=training)
        self._refuse_own_losses()
        return outputs

    def _note(self, key: Key, found: Mapping[str, list[Any]]) -> None:
        """Notes the layers or variables that a key names."""
        root, _ = split_key(key)
        if root == "weights":
            self.weights.update({name: of if len(of) > 1 else of[0] for name, of in found.items()})
            return
        self._layers[root].update(found)
        self._wanted.update(f"{root}.{name}" for name in found if not has_star(key))

    def _heard(self, root: str, calls: Mapping[int, list[Any]]) -> dict[str, Any]:
        """Returns what layers made by their paths, given the calls of each; a list where there were several."""
        order, layers = {layer: i for i, layer in enumerate(calls)}, self._layers[root]
        paths = sorted(layers, key=lambda path: min(order.get(id(one), -1) for one in layers[path]))
        heard = {
            path: self._readable(f"{root}.{path}", [made for one in layers[path] for made in calls.get(id(one), [])])
            for path in paths
        }
        return {path: made if len(made) > 1 else made[0] for path, made in heard.items() if made}

    def _readable(self, key: Key, made: list[Any]) -> list[Any]:
        """Returns what a layer made, call by call; nothing if it cannot be read and only stars ask for it."""
        readable = not any(one is ELSEWHERE for one in made)
        if key in self._wanted and not (made and readable):
            raise ConfigurationError(
                f"key {key!r}: the model "
                + (
                    "has this layer but did not call it"
                    if readable
                    else "calls this layer in a loop, as a recurrent layer "
                    "does with its cell, where its tensors cannot be read; expected the layer around it"
                )
            )
        return made if readable else []

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


def _require_one_reading(key: Key, layers: Iterable[str]) -> None:
    """Raises ConfigurationError where a derivative by `inputs` might be meant as one by a layer of that name."""
    for before, after in itertools.pairwise(pieces(key)):
        path = f"{split_key(before)[1]}/{after}"
        if path in layers:
            raise ConfigurationError(
                f"key {key!r} names a derivative of {before!r} by {after!r}, and there is a layer of the path {path!r}"
                f"; expected another name for that layer"
            )


def _require_call_last(key: Key, layers: Collection[str]) -> None:
    """Raises ConfigurationError where the number of a call stands behind a model, and not behind the layer in it."""
    root, path = split_key(key)
    call = re.fullmatch(r"(.+)\.(\d+)/(.+)", path)
    if call and path not in layers and (layer := f"{call[1]}/{call[3]}") in layers:
        raise ConfigurationError(
            f"key {key!r}: the number of a call comes last; did you mean {f'{root}.{layer}.{call[2]}'!r}?"
        )


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


def _poisoned(flags: list[tf.Tensor], leaf: Any) -> Any:
    """Returns an output with its Keras mask and logits, NaN if one of the flags is True."""
    if leaf is None or not leaf.dtype.is_floating:
        return leaf
    return changed(leaf, lambda x: x + tf.cast(poison(flags), x.dtype))
