"""Mixing: what makes the numbers of an example depend on the others of its batch, refused where a batch is cut.

Replicas and micro-batches see a part of a batch each, so that no number of such a model or term is that of the whole; a
batch of evaluation that is padded holds examples twice.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError, Context, Mean, Term
from objectives.errors import Mistakes
from objectives.keras_tensors import keras_mask
from objectives.keys import is_of_batch, leaves
from objectives.parts import Part
from trainer.steps.batch_statistics import cut, statistics_as_they_are
from trainer.steps.draws import alike_everywhere
from trainer.steps.forward import Forward
from trainer.steps.layer_state import LayerState
from trainer.steps.operations import operations
from trainer.steps.tap import Tap, layer_paths

# By how much of the largest number two numbers may differ that are the same but for rounding.
_ROUNDING = 1e-4

Examples = Mapping[str, Any]


def refuse_mixing(
    strategy: tf.distribute.Strategy, forward: Forward, batch: Mapping[str, Any], number: int, *, size: int
) -> None:
    """Makes sure that the model and the terms take each example by itself, on examples of a batch.

    The model is called on two parts of the batch, and on one that has some rows of each: these have to come to the same
    numbers again. The terms are evaluated on what it made of both parts, apart and together. Layers whose statistics of
    the batch are known are left out, as are terms that gather the whole batch.

    Args:
      strategy: over which the step runs.
      forward: of the step; what it writes is put back by the caller.
      batch: its examples, without padding, as arrays.
      number: of updates done.
      size: how many examples go through the model at once; where no batch is cut, those of evaluation are
        padded to it.

    Raises:
      ConfigurationError: the model mixes examples, or terms do; a layer or all such terms are named.
    """
    count, size = len(tf.nest.flatten(dict(batch))[0]), max(size, 2)
    if count < 2:
        return
    rows = np.arange(2 * size) if count >= 2 * size else np.r_[np.arange(size), np.arange(size) + _shift(size, count)]
    here, there = (_rows(batch, part % count) for part in np.split(rows, 2))
    parts = (here, there, tf.nest.map_structure(_beside, here, there))
    passes = {
        training: _Pass(strategy, forward, training=training)
        for training in ((False, True) if forward.is_cut else (False,))
    }
    for training in passes:
        if passes[training].mixed(parts, number):
            raise _layer_at_fault(strategy, forward, parts, number, training=training)
    _refuse_terms(strategy, forward, [(part, passes[False](part, number)) for part in parts], number)


class _Pass:
    """What the model makes of a part of a batch: its outputs, its activations, and their Keras masks by path.

    Attributes:
      called: the paths of the layers whose activations there are, in the order of their calls; once it was called.
    """

    def __init__(self, strategy: tf.distribute.Strategy, forward: Forward, *, training: bool):
        self._model, self.called = forward.tap.model, list[str]()

        def on_replica(batch: Examples, number: tf.Tensor) -> tuple[Any, Any, Any]:
            with LayerState(forward.tap.model).put_back():
                forward.streams.begin(number)
                context = forward.context(batch, number, training=training)
            self.called = list(context.activations)
            made = (context.outputs, context.activations)
            masks = {path: keras_mask(leaf) for path, leaf in leaves(made).items()}
            return *made, {path: mask for path, mask in masks.items() if mask is not None}

        self._run = _on_first_replica(strategy, on_replica)

    def __call__(self, part: Examples, number: int) -> tuple[Any, Any, Any]:
        with statistics_as_they_are(self._model):
            return self._run(part, tf.constant(number, tf.int64))

    def mixed(self, parts: Sequence[Examples], number: int) -> set[str]:
        """The paths of what has other numbers where an example of two parts is beside others in the third."""
        a, b, both = (_arrays(self(part, number)) for part in parts)
        size = len(tf.nest.flatten(dict(parts[0]))[0])
        found = set()
        for path in a:
            if a[path].shape[:1] == (size,):
                alike = _beside(a[path], b[path]), both[path]
            elif all(axis % size for axis in a[path].shape):  # it has no axis of examples at all
                alike = a[path], b[path]
            else:
                continue
            if _differ(*alike):
                found.add(path)
        return found


def _layer_at_fault(
    strategy: tf.distribute.Strategy, forward: Forward, parts: Sequence[Examples], number: int, *, training: bool
) -> ConfigurationError:
    """The answer to a model that mixes examples, with the first of its innermost layers that does."""
    model = forward.tap.model
    keys = ["activations.*"] if any(True for _ in layer_paths(model)) else []
    whole = _Pass(strategy, dataclasses.replace(forward, tap=Tap(model, keys)), training=training)
    mixed = whole.mixed(parts, number)
    names = [path for path in whole.called if any(f"{name}.".startswith(f"1.{path}.") for name in mixed)]
    inner = [path for path in names if not any(other.startswith(f"{path}/") for other in names)]
    where = f"the layer {inner[0]!r}" if inner else f"the model {model.name!r}"
    return ConfigurationError(
        f"{where} makes the numbers of an example from the other examples of its batch too"
        f"{', in training' * training}, {_cut(forward)}; expected each example by itself, {_instead(forward)}, or "
        f"keras.layers.BatchNormalization(synchronized=True) for statistics over replicas"
    )


def _refuse_terms(
    strategy: tf.distribute.Strategy, forward: Forward, made: Sequence[tuple[Examples, Any]], number: int
) -> None:
    """Raises ConfigurationError where values of examples are others in the part of a batch and in the whole."""
    size, at = len(tf.nest.flatten(dict(made[0][0]))[0]), tf.constant(number, tf.int64)
    whole = tf.nest.map_structure(lambda a, b: tf.concat([a, b], 0) if tuple(a.shape[:1]) == (size,) else a, *made[:2])
    parts = [part for part in forward.parts if _reads_examples(forward, part, whole, 2 * size)]
    each = _on_first_replica(strategy, functools.partial(_each, forward, parts))
    a, b, both, together = (_arrays(each(examples, at)) for examples in (*made, whole))
    mistakes = Mistakes()
    for part in parts:
        paths = [f"{part.name}.{i}" for i in range(len(Mean._fields))]
        if not any(_differ(together[path], np.concatenate([a[path], b[path]])) for path in paths):
            continue
        # What a term draws at random is another number at another place, by itself too.
        if _draws(forward, part, made[0], at) and not any(_differ(both[p], _beside(a[p], b[p])) for p in paths):
            continue
        mistakes.messages.append(
            f"term {part.name!r} ({type(forward.objective.terms[part.term]).__name__}): its values of an example "
            f"depend on the other examples of the batch, {_cut(forward)}; expected {_instead(forward)}, or, with "
            f"accumulate_steps = 1, a class of BatchStatistic, which is handed the whole batch, as Decorrelation is"
        )
    mistakes.raise_any()


def _each(
    forward: Forward, parts: Sequence[Part], examples: tuple[Examples, Any], number: tf.Tensor
) -> dict[str, Mean]:
    with alike_everywhere():
        return forward.objective.each(_context(forward, examples, number), parts)


def _draws(forward: Forward, part: Part, examples: tuple[Examples, Any], number: tf.Tensor) -> bool:
    """Whether a part draws random numbers, which it can by the step alone."""
    traced = tf.function(functools.partial(_each, forward, [part]), autograph=False).get_concrete_function(
        examples, number
    )
    return any(operation.type.startswith("Stateless") for operation, _ in operations(traced))


def _reads_examples(forward: Forward, part: Part, whole: tuple[Examples, Any], size: int) -> bool:
    """Whether a part is of a term over examples, and the first axis of all that it reads is the batch."""
    term, context = forward.objective.terms[part.term], _context(forward, whole, None)
    keys = [part.stars.get(key, key) for key in term.keys if is_of_batch(key)]
    return isinstance(term, Term) and all(tuple(context[key].shape[:1]) == (size,) for key in keys)


def _context(forward: Forward, examples: tuple[Examples, Any], number: Any) -> Context:
    batch, (outputs, activations, masks) = examples
    for path, leaf in leaves((outputs, activations)).items():
        if path in masks:
            leaf._keras_mask = masks[path]
    return Context(**batch, outputs=outputs, activations=activations, weights=dict(forward.tap.weights), step=number)


def _on_first_replica(strategy: tf.distribute.Strategy, call: Any) -> Any:
    """A function of the same arguments on each replica, as what it returns on the first one."""

    @tf.function(autograph=False)
    def run(*args: Any) -> Any:
        made = strategy.run(call, args=args)
        return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], made)

    return lambda *args: run.get_concrete_function(*args)(*args)


def _cut(forward: Forward) -> str:
    if forward.is_cut:
        parts = cut(forward.replicas, forward.micro_batches)
        return f"and a batch is cut into {parts}, none of which has the numbers of the whole"
    return "and the last batch of the evaluation is padded with examples that are there already"


def _instead(forward: Forward) -> str:
    if forward.is_cut:
        return "one replica and accumulate_steps = 1"
    return "a number of evaluation examples that batch_size divides"


def _shift(size: int, count: int) -> int:
    """How far apart two parts begin in fewer examples than both take: no row may have the same example in both."""
    return size if size % count else 1


def _rows(batch: Examples, rows: np.ndarray) -> Any:
    return tf.nest.map_structure(lambda leaf: leaf[rows], dict(batch))


def _beside(a: Any, b: Any) -> np.ndarray:
    """The first half of the rows of one, and the other rows of the other."""
    half = len(a) // 2
    return np.concatenate([a[:half], b[half:]])


def _arrays(nest: Any) -> dict[str, np.ndarray]:
    """The floating-point numbers of a nest by path, as float64."""
    dense = {path: leaf for path, leaf in leaves(nest).items() if isinstance(leaf, tf.Tensor)}
    return {path: tf.cast(leaf, tf.float64).numpy() for path, leaf in dense.items() if leaf.dtype.is_floating}


def _differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays differ by more than rounding; what is not finite in either is another matter."""
    if a.shape != b.shape:
        return True
    finite = np.isfinite(a) & np.isfinite(b)
    a, b = a[finite], b[finite]
    return bool(np.any(np.abs(a - b) > _ROUNDING * max(np.max(np.abs(a), initial=0), np.max(np.abs(b), initial=0))))
