"""Chunk: many steps in one call of one compiled function, whose results are read by the host once."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import keras
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from objectives import Key, Mean
from objectives.context import leaves
from objectives.keys import covers, pieces
from objectives.parts import Parts
from trainer.executions.turns import take_turn, train
from trainer.feeds.feed import Feed, without_padding
from trainer.steps.forward import Forward
from trainer.steps.gradients import Batch
from trainer.steps.inspection import inspect
from trainer.steps.replicas import exchangeable
from trainer.steps.term_gradients import ModelParts, term_gradients
from trainer.steps.train_step import TrainStep
from trainer.steps.variables.other_parts import refuse_other_parts
from trainer.steps.variables.untracked import refuse_untracked

Found = TypeVar("Found")

_NUMBER = tf.TensorSpec([], tf.int64)
_ROW = tf.TensorSpec([], tf.int32)


def trace_step(step: TrainStep, feed: Feed) -> ConcreteFunction:
    """Traces `(data, row, number) -> (numbers, goes_on)`: the update with the batch of one row; see `turns.train`.

    Raises:
      ConfigurationError: it writes or draws what the trainer's state does not hold, or reads a variable where another
        replica trains it.
    """

    @tf.function(autograph=False)
    def run(data, row, number):
        return train(step, feed, data, row, number)

    with step.tracing():
        traced = run.get_concrete_function(feed.signature, _ROW, _NUMBER)
    refuse_untracked("a step of training", traced, step.model, step.state)
    refuse_other_parts("a step of training", traced, step.adoption)
    return traced


def trace_training(step: Callable[..., Any], feed: Feed, *, tags: int) -> ConcreteFunction:
    """Traces `(data, first, count) -> (results, done)`, which calls a traced step of `tags` numbers `count` times.

    The function takes the data of a chunk, the number of its first step and how many steps to run. It returns how many
    updates are done, which are fewer where a guarded step has left out one, and float32 `[feed.limit, tags]`, of which
    the first `done` rows are their numbers. Being an argument, `count` never compiles anything anew.
    """

    @tf.function(autograph=False)
    def run(data, first, count):
        def body(done, results, _):
            numbers, goes_on = step(data, done, first + tf.cast(done, tf.int64))
            return done + tf.cast(goes_on, tf.int32), results.write(done, numbers), goes_on

        def is_left(done, _, goes_on):
            return goes_on & (done < count)

        start = (tf.constant(0), tf.TensorArray(tf.float32, size=feed.limit, element_shape=[tags]), tf.constant(True))
        done, results, _ = tf.while_loop(is_left, body, start, parallel_iterations=1)
        return results.stack(), done

    return run.get_concrete_function(feed.signature, _NUMBER, _ROW)


def trace_evaluation(step: TrainStep, feed: Feed) -> ConcreteFunction:
    """Traces `(data, first, stop, number, merged) -> (merged, values by tag)` over the rows `first` to `stop - 1`.

    Sums and counts are merged over all batches of all calls, of which each is handed what the one before returned,
    and divided once, so that the values do not depend on how the examples are cut into batches, shares and calls.

    Raises:
      ConfigurationError: it writes or draws what the trainer's state does not hold, or reads a variable where another
        replica trains it.
    """

    @tf.function(autograph=False)
    def run(data, first, stop, number, merged):
        def body(row, merged):
            return row + 1, merged.merge(feed.first(feed.run(step.forward.evaluate, data, row, number)))

        _, merged = tf.while_loop(lambda row, _: row < stop, body, (first, merged), parallel_iterations=1)
        return merged, step.forward.report(merged, number)

    sums = tf.TensorSpec([len(step.forward.parts)], tf.float64)
    traced = run.get_concrete_function(feed.signature, _ROW, _ROW, _NUMBER, Mean(sums, sums))
    refuse_untracked("evaluation", traced, step.model, step.state)
    refuse_other_parts("evaluation", traced, step.adoption)
    return traced


def find_parts(forward: Forward, feed: Feed) -> Parts:
    """Returns what the stars of the terms' keys match, from a trace of the model that is never run.

    Raises:
      ConfigurationError: a star matches nothing, or keys name what is not there.
    """
    return found_in_trace(forward.find_parts, feed)


def find_unread(forward: Forward, feed: Feed) -> list[Key]:
    """Returns the keys of the outputs that none of the keys of a forward pass names, from such a trace.

    An output that a key reads as the activation of its layer is read.
    """

    def find(batch: Batch, number: tf.Tensor) -> list[Key]:
        context = forward.context(batch, number, training=False)
        read = [*map(id, leaves(context.activations).values())]
        read_keys = [piece for one in forward.tap.keys for piece in pieces(one)]
        outputs = {key: id(tensor) for key, tensor in leaves(context.outputs, "outputs").items()}
        own = {key for key in outputs if any(covers(one, key) for one in read_keys)}
        return [key for key, tensor in outputs.items() if key not in own and tensor not in read]

    return found_in_trace(find, feed)


def find_outputs(forward: Forward, feed: Feed) -> Any:
    """Returns the outputs of the model in evaluation, as tensors without values, from such a trace."""
    return found_in_trace(lambda batch, number: forward.look(batch, number, lambda context: context.outputs), feed)


def found_in_trace(find: Callable[[Batch, tf.Tensor], Found], feed: Feed) -> Found:
    """Returns what a function of a batch and the number of a step finds in a trace on a replica, which is never run."""
    found: list[Found] = []

    @tf.function(autograph=False)
    def run(data):
        number = tf.constant(0, tf.int64)
        feed.run(lambda batch, number: found.append(find(batch, number)), data, tf.constant(0), number)

    run.get_concrete_function(feed.signature)
    return found[0]


def trace_term_gradients(step: TrainStep, feed: Feed, parts: ModelParts) -> ConcreteFunction:
    """Traces `(data, row, number) -> TermGradients of each turn`, the terms' gradients on the batch of one row."""

    @tf.function(autograph=False)
    def run(data, row, number):
        return [
            feed.first(feed.run(functools.partial(term_gradients, turn.step, parts=parts), data, row, number))
            for turn in step.turns
            if turn.is_last
        ]

    with step.tracing():
        return run.get_concrete_function(feed.signature, _ROW, _NUMBER)


def trace_inspection(step: TrainStep, feed: Feed) -> ConcreteFunction:
    """Traces `(data, row, number) -> counts by tag` of what is not finite, on the batch of one row.

    Each turn is inspected where the turns before it lead to, so that calling it changes the state where there are
    several.
    """

    @tf.function(autograph=False)
    def run(data, row, number):
        (turn, *others), found = step.turns, dict[str, tf.Tensor]()
        for following in [*others, None]:
            counts = feed.first(feed.run(functools.partial(inspect, turn.step), data, row, number))
            found |= {tag: tf.maximum(count, found.get(tag, count)) for tag, count in counts.items()}
            if following is not None:
                take_turn(turn, feed, data, row, number)
                turn = following
        return found

    with step.tracing():
        return run.get_concrete_function(feed.signature, _ROW, _NUMBER)


def example_specs(feed: Feed) -> dict[str, tf.TensorSpec]:
    """Returns the spec of one example of a feed, without the axis of the batch, by key such as `inputs.image`."""
    found: dict[str, tf.TensorSpec] = {}

    def note(batch, _):
        for path, leaf in keras.tree.flatten_with_path({name: batch[name] for name in batch if name != "valid"}):
            found[".".join(map(str, path))] = tf.TensorSpec(leaf.shape[1:], leaf.dtype)

    @tf.function(autograph=False)
    def run(data, row, number):
        feed.run(note, data, row, number)

    run.get_concrete_function(feed.signature, _ROW, _NUMBER)
    return found


def as_numbers(values: Mapping[str, tf.Tensor]) -> dict[str, float]:
    """Reads scalars from the device, all at once, as numbers by tag."""
    return dict(zip(values, tf.stack(list(values.values())).numpy().tolist(), strict=True))


def gather_batch(strategy: tf.distribute.Strategy, feed: Feed, data: Any) -> dict[str, Any]:
    """Returns the batch of the first row of `data` as arrays, without padding, from all replicas and workers."""
    types: list[Any] = []

    def travelling(batch: Any, _: tf.Tensor) -> Any:
        types[:] = [leaf.dtype.as_numpy_dtype for leaf in tf.nest.flatten(batch)]
        return [exchangeable(leaf) for leaf in tf.nest.flatten(batch)], batch

    @tf.function(autograph=False)
    def run(data):
        return feed.run(travelling, data, tf.constant(0), tf.constant(0, tf.int64))

    # Concrete, because TensorFlow warns of retracing if several trainers each create such a function.
    leaves, batch = run.get_concrete_function(data)(data)
    arrays = [strategy.gather(leaf, axis=0).numpy().astype(kind) for leaf, kind in zip(leaves, types, strict=True)]
    gathered = tf.nest.pack_sequence_as(batch, arrays)
    return without_padding(gathered)
