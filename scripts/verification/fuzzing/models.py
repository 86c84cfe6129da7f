"""The kinds of models that random configurations train, each with a way to read its hidden layer from outside."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

OUTPUTS = 2
HIDDEN = "activations.hidden"
_WORDS = 7
BATCH_STATISTICS = ("batch normalization", "synchronized batch normalization")
# The parts of a batch that some terms and metrics read, where it has parts; all others read the boundary.
PARTS = {"hinge": "interior", "small": "interior", "size": "interior"}


@dataclasses.dataclass(frozen=True)
class Built:
    """A model, and what a reference needs to know of it.

    Attributes:
      model: maps inputs `[batch, ...]` to outputs `[batch, OUTPUTS]`; or a dict of inputs by part to one of outputs.
      both: `both(inputs, training=...)` gives the outputs and the hidden layer's activations of one forward pass.
      key: by which a term reads the hidden layer.
    """

    model: keras.Model
    both: Callable[..., Any]
    key: str = HIDDEN


def inputs_of(kind: str, examples: int, rng: np.random.Generator) -> np.ndarray:
    """Random inputs that a kind of model takes."""
    if kind == "embedding":
        return rng.integers(0, _WORDS, size=[examples, 3]).astype(np.int32)
    shape = {"lstm": [4, 2], "convolution": [6, 2]}.get(kind, [3])
    return rng.normal(size=[examples, *shape]).astype(np.float32)


def takes_rows(kind: str) -> bool:
    """Returns whether an example of the inputs is a row of numbers."""
    return kind not in ("embedding", "lstm", "convolution")


def reads_hidden(kind: str) -> bool:
    """Returns whether what `Built.both` returns of the hidden layer is what the outputs are made of."""
    return kind not in ("nested", BATCH_STATISTICS[0])


def layers_of(kind: str) -> list[str]:
    """Returns the names of the layers that may be frozen for a while."""
    further = {**{kind: ["normalization"] for kind in BATCH_STATISTICS}, "parts": ["edge"]}
    return ["head", "hidden", *further.get(kind, [])]


def build(kind: str) -> Built:
    """Returns a new model of one of `KINDS`, of the random weights that are next."""
    return KINDS[kind]()


def _functional(shape: list[int], *before: keras.Layer, between: tuple[keras.Layer, ...] = (), **options: Any) -> Built:
    """Layers in a row, of which the one named `hidden` is read."""
    inputs = hidden = keras.Input(shape, **options)
    for layer in before:
        hidden = layer(hidden)
    outputs = hidden
    for layer in between:
        outputs = layer(outputs)
    outputs = keras.layers.Dense(OUTPUTS, name="head")(outputs)
    return Built(keras.Model(inputs, outputs), keras.Model(inputs, [outputs, hidden]))


def _hidden() -> keras.Layer:
    return keras.layers.Dense(4, activation="tanh", name="hidden")


def _nested() -> Built:
    inner = keras.Sequential([keras.Input([3]), _hidden(), keras.layers.Dense(3, name="inside")], name="inner")
    inputs = keras.Input([3])
    outputs = keras.layers.Dense(OUTPUTS, name="head")(keras.layers.LayerNormalization()(inner(inputs)))

    def both(x: Any, training: bool) -> tuple[Any, Any]:
        return model(x, training=training), inner.get_layer("hidden")(x)

    model = keras.Model(inputs, outputs)
    return Built(model, both, "activations.inner/hidden")


class Subclassed(keras.Model):
    """Calls its layers itself, and adds the inputs to what the hidden layer returns."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = keras.layers.Dense(3, activation="tanh", name="hidden")
        self.head = keras.layers.Dense(OUTPUTS, name="head")

    def both(self, inputs: Any, training: bool = False) -> tuple[Any, Any]:
        hidden = self.hidden(inputs)
        return self.head(hidden + keras.ops.cast(inputs, hidden.dtype)), hidden

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.both(inputs, training)[0]


def _subclassed() -> Built:
    model = Subclassed()
    model(keras.ops.zeros([1, 3]))
    return Built(model, model.both)


def _of_parts() -> Built:
    """Reads two parts of a batch, of which the hidden layer reads one; one head maps both to outputs."""
    inputs = {part: keras.Input([3], name=part) for part in ("boundary", "interior")}
    hidden, head = _hidden()(inputs["interior"]), keras.layers.Dense(OUTPUTS, name="head")
    edge = keras.layers.Dense(4, activation="tanh", name="edge")(inputs["boundary"])
    outputs = {"boundary": head(edge), "interior": head(hidden)}
    return Built(keras.Model(inputs, outputs), keras.Model(inputs, [outputs, hidden]))


def _normalization(**options: Any) -> keras.layers.Layer:
    return keras.layers.BatchNormalization(name="normalization", **options)


KINDS: dict[str, Callable[[], Built]] = {
    "dense": lambda: _functional([3], _hidden()),
    BATCH_STATISTICS[0]: lambda: _functional([3], _hidden(), between=(_normalization(),)),
    BATCH_STATISTICS[1]: lambda: _functional([3], _hidden(), between=(_normalization(synchronized=True),)),
    "dropout": lambda: _functional([3], _hidden(), between=(keras.layers.Dropout(0.5),)),
    "embedding": lambda: _functional(
        [3], keras.layers.Embedding(_WORDS, 2), keras.layers.Flatten(), _hidden(), dtype="int32"
    ),
    "lstm": lambda: _functional([4, 2], keras.layers.LSTM(3, name="hidden")),
    "convolution": lambda: _functional(
        [6, 2], keras.layers.Conv1D(3, 3, activation="tanh", name="hidden"), between=(keras.layers.Flatten(),)
    ),
    "nested": _nested,
    "subclassed": _subclassed,
    "parts": _of_parts,
}
