"""Layers: whether a model's results for an example depend on its batch, and the layer that is the cause."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from objectives.context import leaves
from objectives.keras_tensors import keras_mask
from trainer.executions.mixing.closeness import arrays, differ, error
from trainer.executions.mixing.first_replica import FirstReplica
from trainer.executions.mixing.perturbation import round_off
from trainer.executions.mixing.probe import Examples, Probe
from trainer.steps.forward import Forward
from trainer.steps.layers.batch_statistics import statistics_as_they_are
from trainer.steps.layers.layer_state import LayerState
from trainer.steps.tap import Made, Tap, layer_paths


class Pass:
    """The results of a model for examples: what a forward pass made, and Keras masks by path.

    Attributes:
      called: the paths of the layers whose activations there are, in the order of their calls; once it was called.
    """

    def __init__(self, strategy: tf.distribute.Strategy, forward: Forward, *, training: bool):
        self._strategy, self._forward, self._training = strategy, forward, training
        self.called = list[str]()

        def on_replica(batch: Examples, step: tf.Tensor) -> tuple[Any, Any]:
            with LayerState(forward.model).put_back():
                forward.streams.begin(step)
                context = forward.context(batch, step, training=training)
            self.called = list(context.activations)
            made = tuple(getattr(context, root) for root in Made._fields)
            masks = {path: keras_mask(leaf) for path, leaf in leaves(made).items()}
            return made, {path: mask for path, mask in masks.items() if mask is not None}

        self._run = FirstReplica(strategy, on_replica)

    def __call__(self, probe: Probe, places: np.ndarray) -> tuple[Examples, Any]:
        """Returns the examples at some places, and the results of the model for them."""
        return self._made(probe, probe.examples(places))

    def rounded(self, probe: Probe) -> tuple[Examples, Any]:
        """Returns the same for the first part, with rounding errors added to each weight and each input."""
        with probe.variables.kept():
            round_off(probe.variables, probe.rounding)
            return self._made(probe, probe.rounded())

    def mixed(self, probe: Probe) -> set[str]:
        """Returns the paths of results that change if an example is beside others, or at another place."""
        a, b = (arrays(self(probe, part)[1]) for part in probe.parts)
        rounded = arrays(self.rounded(probe)[1])
        found = set()
        for places, made in self._again(probe):
            for path in a:
                alike = _alike(probe, places, a[path], b[path], made[path])
                if alike and differ(*alike, error=error(a[path], rounded[path]), rounding=probe.rounding):
                    found.add(path)
        return found

    def layers_at_fault(self, probe: Probe) -> list[str]:
        """Returns the paths of the innermost layers whose results change, in the order of their calls."""
        model = self._forward.model
        keys = ["activations.*"] if any(True for _ in layer_paths(model)) else []
        forward = dataclasses.replace(self._forward, tap=Tap(model, keys))
        whole = Pass(self._strategy, forward, training=self._training)
        mixed = {path.partition(".")[2] for path in whole.mixed(probe)}  # a Keras mask has the name of its tensor
        at = Made._fields.index("activations")
        names = [path for path in whole.called if any(f"{name}.".startswith(f"{at}.{path}.") for name in mixed)]
        return [path for path in names if not any(other.startswith(f"{path}/") for other in names)]

    def _again(self, probe: Probe) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Places of both parts, and what the model makes of their examples."""
        yield probe.beside, arrays(self(probe, probe.beside)[1])
        # What is drawn at random belongs to the row.
        if not self._run.draws(probe.examples(probe.beside), probe.step):
            for places in probe.moved(self._other_size(probe)):
                yield places, arrays(self(probe, places)[1])

    def _other_size(self, probe: Probe) -> int:
        """Another size than that of the parts; theirs where the model takes no other, so that nothing depends on it."""
        try:
            self(probe, next(probe.moved(probe.other_size)))
        except (ConfigurationError, tf.errors.InvalidArgumentError):
            return probe.size
        return probe.other_size

    def _made(self, probe: Probe, examples: Examples) -> tuple[Examples, Any]:
        with statistics_as_they_are(self._forward.model):
            return examples, self._run(examples, probe.step)


def _alike(
    probe: Probe, places: np.ndarray, a: np.ndarray, b: np.ndarray, found: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns results that must be equal, for both parts and a third one with examples of both; None if none must."""
    if a.shape[:1] == (probe.size,) and found.shape[:1] == (len(places),):
        return np.concatenate([a, b])[places], found
    # Examples may be folded into an axis with others; where no axis holds them, nothing may change.
    is_folded = len(places) == probe.size and not all(axis % probe.size for axis in a.shape)
    return None if is_folded or a.shape != found.shape else (a, found)
