"""Preview: what a run reads, holds in memory and takes of time, as far as it is known before its first step."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from objectives import Key
from objectives.context import leaves, starred
from objectives.keys import has_star
from trainer.executions.chunk import found_in_trace
from trainer.executions.execution import Execution
from trainer.feeds.feed import Feed
from trainer.steps.forward import Forward
from trainer.steps.gradients import Batch
from trainer.steps.tap import layer_paths
from trainer.steps.train_step import TrainStep

_ALL_LAYERS = "activations.*"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Read:
    """A tensor that the model, terms or metrics read, on one replica.

    Attributes:
      key: its key.
      shape: of the share of a batch that a replica gets; None where a size is known in a step only.
      dtype: its name.
      readers: "the model", or the names of terms and metrics.
    """

    key: Key
    shape: tuple[int | None, ...]
    dtype: str
    readers: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parameters:
    """How many numbers a layer of the model has, with all layers inside of it.

    Attributes:
      layer: its name; empty for variables of the model itself.
      trained: those that some step of the run updates.
      fixed: all others, such as moving statistics and what is frozen.
    """

    layer: str
    trained: int
    fixed: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trained:
    """What a player updates.

    Attributes:
      variables: how many.
      parameters: how many numbers they have together.
    """

    variables: int
    parameters: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preview:
    """What is known of a run before its first step.

    Attributes:
      replicas: among how many a batch is shared.
      reads: the tensors that are read: inputs first, then by key.
      parameters: of each layer of the model that has some, in their order.
      players: what each of them updates, by name; there are none where the run has one objective.
      memory: an estimate of what a replica holds, in bytes, by what it is. What operations need meanwhile is not in it.
      execution: in which a step was timed.
      step_seconds: of one update, in the quickest of a few trials.
      gradients_seconds: of one measurement of the gradients of the terms.
      gradients: the norm and the cosines of each weighted term's gradient on the first batch, by tag.
      own: what the kind of step reports of the first update besides what all steps do, such as effective weights.
    """

    replicas: int
    reads: Sequence[Read]
    parameters: Sequence[Parameters]
    memory: Mapping[str, int]
    execution: Execution
    step_seconds: float
    gradients_seconds: float
    gradients: Mapping[str, float]
    own: Mapping[str, float] = dataclasses.field(default_factory=dict)
    players: Mapping[str, Trained] = dataclasses.field(default_factory=dict)


def find_reads(forward: Forward, feed: Feed, readers: Mapping[Key, Sequence[str]]) -> tuple[list[Read], dict[str, int]]:
    """Returns what is read of a batch, and how many bytes a batch and the outputs of all layers have on a replica.

    It is found in a trace of the model that is never run.

    Args:
      forward: knows the layers that keys name.
      feed: of the batches.
      readers: the names of those who read a key.
    """
    every = forward.with_keys({*readers, *([_ALL_LAYERS] if any(layer_paths(forward.model)) else [])}, {})

    def find(batch: Batch, number: tf.Tensor) -> tuple[list[Read], dict[str, int]]:
        context = every.context(batch, number, training=True)
        found = {key: (tensor, ["the model"]) for key, tensor in leaves(context.inputs, "inputs").items()}
        for key in sorted(readers):
            for one in starred(key, context).values() if has_star(key) else [key]:
                for read, tensor in context.tensors(one).items():
                    found.setdefault(read, (tensor, []))[1].extend(readers[key])
        reads = [
            Read(key=key, shape=tuple(tensor.shape), dtype=tf.as_dtype(tensor.dtype).name, readers=(*names,))
            for key, (tensor, names) in found.items()
        ]
        given = [*leaves(dict(batch)).values()]
        made = [*leaves(context.activations).values(), *leaves(context.outputs).values()]
        # A layer that passes on what it got holds nothing of its own.
        own = {id(tensor): tensor for tensor in made if not any(tensor is one for one in given)}
        is_known = all(tensor.shape.is_fully_defined() for tensor in own.values())
        of_layers = "outputs of layers" if is_known else "outputs of layers, at least"
        sizes = {"a batch": nbytes(given), of_layers: nbytes(own.values()) // forward.micro_batches}
        return reads, sizes

    return found_in_trace(find, feed)


def memory_of(
    step: TrainStep, feed: Feed, trained: Sequence[keras.Variable], held: Iterable[Any], sizes: Mapping[str, int]
) -> dict[str, int]:
    """Returns how many bytes a replica holds, by what it is, the parts of a model first; nothing is left out.

    Args:
      step: of the run.
      feed: of the batches.
      trained: the variables that have gradients.
      held: the tensors of the data that a replica keeps for a chunk.
      sizes: of what is made in a step, see `find_reads`.
    """
    state = step.state
    found = {
        "weights": nbytes(step.model.variables),
        "state of the optimizer": state.of_groups("optimizer").nbytes,
        "averaged weights": state.of_groups("average").nbytes,
        "gradients": nbytes(trained),
        "resident examples": nbytes(tf.nest.flatten(feed.first(feed.resident))),
        "examples or indices of a chunk": nbytes(held),
        **sizes,
    }
    return {what: size for what, size in found.items() if size}


def parameters_of(model: keras.Model, trained: Iterable[keras.Variable]) -> list[Parameters]:
    """Returns how many numbers each layer of a model has, and last what the model has besides its layers.

    A variable that several layers share is counted for the first of them.

    >>> model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3, name="hidden"), keras.layers.ReLU()])
    >>> parameters_of(model, model.trainable_variables)
    [Parameters(layer='hidden', trained=9, fixed=0)]
    """
    updated, counted = {id(variable) for variable in trained}, set[int]()
    found = []
    layers = [(layer.name, layer.variables) for layer in model._flatten_layers(include_self=False, recursive=False)]
    for name, variables in [*layers, ("", model.variables)]:
        numbers = {True: 0, False: 0}
        for variable in variables:
            if id(variable) not in counted:
                counted.add(id(variable))
                numbers[id(variable) in updated] += _size(variable.shape)
        if sum(numbers.values()):
            found.append(Parameters(layer=name, trained=numbers[True], fixed=numbers[False]))
    return found


def trained_by(
    owners: Mapping[str | None, Sequence[keras.Variable]], trained: Iterable[keras.Variable]
) -> dict[str, Trained]:
    """Returns what each player updates of the variables that are trained, by its name; see `TrainStep.owners`."""
    updated = {id(variable) for variable in trained}
    sizes = {name: [_size(one.shape) for one in own if id(one) in updated] for name, own in owners.items() if name}
    return {name: Trained(variables=len(own), parameters=sum(own)) for name, own in sizes.items()}


def nbytes(tensors: Iterable[Any]) -> int:
    """Returns how many bytes some tensors or variables have; a size that is not known counts as 1.

    >>> nbytes([tf.zeros([3, 2]), tf.zeros([], tf.int64)])
    32
    """
    return sum(_size(tensor.shape) * tf.as_dtype(tensor.dtype).size for tensor in tensors)


def _size(shape: Iterable[int | None]) -> int:
    size = 1
    for length in shape:
        size *= 1 if length is None else length
    return size
