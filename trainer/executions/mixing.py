"""Mixing: what makes the numbers of an example depend on the others of its batch, refused where a batch is cut.

Replicas and micro-batches see a part of a batch each, so that no number of such a model or term is that of the whole.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError, Context
from objectives.errors import Mistakes
from objectives.keys import is_of_batch, leaves
from objectives.parts import Part
from objectives.reads import keras_mask
from trainer.steps.batch_statistics import statistics_as_they_are
from trainer.steps.draws import alike_everywhere
from trainer.steps.layer_state import LayerState
from trainer.steps.step import Step
from trainer.steps.tap import Tap, layer_paths

# By how much of the largest number two numbers may differ that are the same but for rounding.
_ROUNDING = 1e-4

Examples = Mapping[str, Any]


def refuse_mixing(
    strategy: tf.distribute.Strategy, step: Step, batch: Mapping[str, Any], number: int, *, size: int
) -> None:
    """Makes sure that the model and the terms take each example by itself, on examples of a batch.

    The model is called on two parts of the batch, and on one that has some rows of each: these have to come to the same
    numbers again. The terms are evaluated on what it made of both parts, apart and together. Layers whose statistics of
    the batch are known are left out, as are terms that gather the whole batch, and what draws other numbers each time.

    Args:
      strategy: over which the step runs.
      step: which is left as it is.
      batch: its examples, without padding, as arrays.
      number: of updates done.
      size: how many examples go through the model at once.

    Raises:
      ConfigurationError: the model mixes examples, or terms do; a layer or all such terms are named.
    """
    count, size = len(tf.nest.flatten(dict(batch))[0]), max(size, 2)
    if count < 2:
        return
    rows = np.arange(2 * size) if count >= 2 * size else np.r_[np.arange(size), np.arange(size) + _shift(size, count)]
    here, there = (_rows(batch, part % count) for part in np.split(rows, 2))
    with step.everything.kept():
        forward = {training: _Forward(strategy, step, training=training) for training in (False, True)}
        for training in forward:
            if forward[training].mixed(here, there, number):
                raise _layer_at_fault(strategy, step, here, there, number, training=training)
        made = [(part, forward[False](part, number)) for part in (here, there)]
        _refuse_terms(strategy, step, made[0], made[1], number)


class _Forward:
    """What the model makes of a part of a batch: its outputs, its activations, and their Keras masks by path.

    Attributes:
      called: the paths of the layers whose activations there are, in the order of their calls; once it was called.
    """

    def __init__(self, strategy: tf.distribute.Strategy, step: Step, *, training: bool):
        self._model, self.called = step.tap.model, list[str]()

        def on_replica(batch: Examples, number: tf.Tensor) -> tuple[Any, Any, Any]:
            with LayerState(step.tap.model).put_back():
                step.streams.begin(number)
                context = step.context(batch, number, training=training)
            self.called = list(context.activations)
            made = (context.outputs, context.activations)
            masks = {path: keras_mask(leaf) for path, leaf in leaves(made).items()}
            return *made, {path: mask for path, mask in masks.items() if mask is not None}

        self._run = _on_first_replica(strategy, on_replica)

    def __call__(self, part: Examples, number: int) -> tuple[Any, Any, Any]:
        with statistics_as_they_are(self._model):
            return self._run(part, tf.constant(number, tf.int64))

    def mixed(self, here: Examples, there: Examples, number: int) -> set[str]:
        """The paths of what has other numbers where an example stands beside others; none if it never has the same."""
        size = len(tf.nest.flatten(dict(here))[0])
        first = np.arange(size) < size // 2
        both = tf.nest.map_structure(lambda a, b: tf.where(_column(first, a), a, b), here, there)
        a, b, c = (_arrays(self(part, number)) for part in (here, there, both))
        found = set()
        for path in a:
            if a[path].shape[:1] == (size,):
                kept, made = np.where(_column(first, a[path]), a[path], b[path]), c[path]
            elif all(axis % size for axis in a[path].shape):  # it has no axis of examples at all
                kept, made = a[path], b[path]
            else:
                continue
            if _differ(kept, made):
                found.add(path)
        again = _arrays(self(here, number)) if found else a
        return set() if any(_differ(a[path], again[path]) for path in a) else found


def _layer_at_fault(
    strategy: tf.distribute.Strategy, step: Step, here: Examples, there: Examples, number: int, *, training: bool
) -> ConfigurationError:
    """The answer to a model that mixes examples, with the first of its innermost layers that does."""
    model = step.tap.model
    keys = ["activations.*"] if any(True for _ in layer_paths(model)) else []
    forward = _Forward(strategy, dataclasses.replace(step, tap=Tap(model, keys)), training=training)
    mixed = forward.mixed(here, there, number)
    names = [path for path in forward.called if any(f"{name}.".startswith(f"1.{path}.") for name in mixed)]
    inner = [path for path in names if not any(other.startswith(f"{path}/") for other in names)]
    where = f"the layer {inner[0]!r}" if inner else f"the model {model.name!r}"
    return ConfigurationError(
        f"{where} makes the numbers of an example from the other examples of its batch too"
        f"{', in training' * training}, {_cut(step)}; expected each example by itself, one replica and "
        f"accumulate_steps = 1, or keras.layers.BatchNormalization(synchronized=True) for statistics over replicas"
    )


def _refuse_terms(
    strategy: tf.distribute.Strategy, step: Step, here: tuple[Examples, Any], there: tuple[Examples, Any], number: int
) -> None:
    """Raises ConfigurationError where values of examples are others in the part of a batch and in the whole."""
    size = len(tf.nest.flatten(dict(here[0]))[0])
    whole = tf.nest.map_structure(
        lambda a, b: tf.concat([a, b], 0) if tuple(a.shape[:1]) == (size,) else a, here, there
    )
    parts = [part for part in step.parts if _reads_examples(step, part, whole, 2 * size)]

    def on_replica(examples: tuple[Examples, Any], number: tf.Tensor) -> Any:
        with alike_everywhere():
            return step.objective.each(_context(step, examples, number), parts)

    each = _on_first_replica(strategy, on_replica)
    at = tf.constant(number, tf.int64)
    first, second, together, again = (_arrays(each(examples, at)) for examples in (here, there, whole, whole))
    mistakes = Mistakes()
    for part in parts:
        for path in (f"{part.name}.{i}" for i in range(2)):
            apart = np.concatenate([first[path], second[path]])
            if _differ(together[path], apart) and not _differ(together[path], again[path]):
                mistakes.messages.append(
                    f"term {part.name!r} ({type(step.objective.terms[part.term]).__name__}): its values of an example "
                    f"depend on the other examples of the batch, {_cut(step)}; expected one replica and "
                    f"accumulate_steps = 1, or, on several replicas, a class of term with couples_batch = True, which "
                    f"is handed the whole batch, as Decorrelation is"
                )
                break
    mistakes.raise_any()


def _reads_examples(step: Step, part: Part, whole: tuple[Examples, Any], size: int) -> bool:
    """Whether a part is of a term that is sharded, and the first axis of all that it reads is the batch."""
    term, context = step.objective.terms[part.term], _context(step, whole, None)
    keys = [part.stars.get(key, key) for key in term.keys if is_of_batch(key)]
    return term.is_sharded and all(tuple(context[key].shape[:1]) == (size,) for key in keys)


def _context(step: Step, examples: tuple[Examples, Any], number: Any) -> Context:
    batch, (outputs, activations, masks) = examples
    for path, leaf in leaves((outputs, activations)).items():
        if path in masks:
            leaf._keras_mask = masks[path]
    return Context(**batch, outputs=outputs, activations=activations, weights=dict(step.tap.weights), step=number)


def _on_first_replica(strategy: tf.distribute.Strategy, call: Any) -> Any:
    """A function of the same arguments on each replica, as what it returns on the first one."""

    @tf.function(autograph=False)
    def run(*args: Any) -> Any:
        made = strategy.run(call, args=args)
        return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], made)

    return lambda *args: run.get_concrete_function(*args)(*args)


def _cut(step: Step) -> str:
    return (
        f"and a batch is cut into {step.replicas * step.micro_batches} parts (Trainer.accumulate_steps = "
        f"{step.micro_batches}, replicas: {step.replicas}), of which none would have the numbers of the whole"
    )


def _shift(size: int, count: int) -> int:
    """How far apart two parts begin in fewer examples than both take: no row may have the same example in both."""
    return size if size % count else 1


def _rows(batch: Examples, rows: np.ndarray) -> Any:
    return tf.nest.map_structure(lambda leaf: tf.constant(leaf[rows]), dict(batch))


def _column(rows: np.ndarray, like: Any) -> np.ndarray:
    return rows.reshape(rows.shape + (1,) * (len(like.shape) - 1))


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
