"""Examples: reads what a model and the terms make of a few examples of evaluation, the same ones each time."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from objectives import Context, Mean, Term
from objectives.context import leaves
from objectives.mean import spread
from objectives.parts import Part
from objectives.reads import widen
from trainer.executions.chunk import example_specs
from trainer.feeds.feed import Feed
from trainer.feeds.sources import Source
from trainer.reports.examples.kinds import is_drawn, is_image, is_points
from trainer.reports.examples.picture import ExamplesPicture, pictures
from trainer.reports.examples.shown import Shown, Values
from trainer.steps.layers.known_outputs import known_outputs
from trainer.steps.train_step import TrainStep
from trainer.steps.variables.untracked import refuse_untracked

_SHOWN = ("inputs", "targets", "outputs")
# Sides of images, and lengths of sequences, of which more numbers could not be told apart in a panel.
_SIDE, _LENGTH = 256, 4096
# Numbers of an example that are read of a tensor at most.
_NUMBERS = 2**20


class Examples:
    """The first examples of evaluation, with what the model of the time makes of them.

    The whole first batch goes through the model in evaluation, because the values of an example may depend on its
    batch; of this, the first examples of the first replica are read. It changes no variable.
    """

    def __init__(self, strategy: tf.distribute.Strategy, step: TrainStep, feed: Feed, count: int, source: Source):
        """Keeps the first batch of a feed of evaluation.

        Args:
          strategy: over which the step runs.
          step: its forward pass is looked at.
          feed: of evaluation, whose batches are not mixed of several sources.
          count: how many examples to read at most.
          source: of the feed.
        """
        self._strategy, self._step, self._feed, self._count = strategy, step, feed, count
        self._class_names = source.class_names
        objective, parts = step.forward.objective, step.forward.parts
        over_examples = [part for part in parts if isinstance(objective.terms[part.term], Term)]
        # Of several tensors of a term, the first one.
        self._parts = list({part.term: part for part in reversed(over_examples)}.values())[::-1]
        self._of_tensors = {part.term: sum(part.term == one.term for one in parts) for part in self._parts}
        self._batch = _first_row(strategy, feed.peek(0).data)
        self._look = self._trace()

    def pictures(self, step: int) -> list[ExamplesPicture]:
        """Returns the pictures of the examples after `step` updates."""
        self._step.forward.streams.begin_evaluation(step)
        found = self._look(self._batch, tf.constant(step, tf.int64))
        valid, tensors, maps, means, weights = tf.nest.map_structure(lambda tensor: tensor.numpy(), found)
        real = valid > 0
        shown = Shown(
            tensors={key: array[real] for key, array in tensors.items()},
            terms={name: Values(total[real], count[real]) for name, (total, count) in maps.items()},
            means={name: array[real] for name, array in means.items()},
            weights=dict(zip(self._terms, weights.tolist(), strict=True)),
            of_tensors=self._of_tensors,
            class_names=self._class_names,
        )
        return pictures(shown, step=step, terms=self._terms)

    @property
    def _terms(self) -> list[str]:
        return [*self._step.forward.objective.terms]

    def _trace(self) -> Callable[..., Any]:
        """Returns `(batch, number) -> (valid, tensors, maps, means, weights)`, of the first replica."""

        def on_replica(batch, number):
            return self._step.forward.look(self._feed.batch(self._feed.resident, batch), number, self._read)

        @tf.function(autograph=False)
        def run(batch, number):
            return self._feed.first(self._strategy.run(on_replica, args=(batch, number)))

        traced = run.get_concrete_function(self._batch, tf.TensorSpec([], tf.int64))
        refuse_untracked("evaluation", traced, self._step.model, self._step.state)
        return traced

    def _read(self, context: Context) -> tuple[Any, ...]:
        """Returns what is shown of a batch, of the first examples alone; traced."""
        rows = context.batch[0].shape[0]
        maps: dict[str, Mean] = {}
        means: dict[str, tf.Tensor] = {}
        for part in self._parts:
            values = self._step.forward.objective.each(context, [part])[part.name]
            if _is_of_batch(values.total, rows):
                means[part.name] = _mean_of_each(Mean(*(tensor[: self._count] for tensor in values)))
                maps[part.name] = Mean(*map(self._pooled, self._at_places(part, values, context)))
        tensors = {
            key: _thinned(widen(tensor[: self._count]))
            for root in _SHOWN
            for key, tensor in leaves(getattr(context, root), root).items()
            if _is_of_batch(tensor, rows)
        }
        valid = tf.ones([rows]) if context.valid is None else context.valid
        weights = self._step.forward.objective.weights(context.step)
        return valid[: self._count], tensors, maps, means, weights

    def _at_places(self, part: Part, values: Mean, context: Context) -> Mean:
        """Returns the values of a term where they come from, if it sums up an example and says so."""
        term = self._step.forward.objective.terms[part.term]
        assert isinstance(term, Term), "others have no values of an example"
        if values.total.shape.rank > 1:
            return values
        places = term.placed(dataclasses.replace(context, stars=part.stars) if part.stars else context)
        if places is None or not places.shape.is_fully_defined():
            return values
        counts = spread(tf.cast(values.count, places.dtype), places) * tf.ones_like(places)
        return Mean(places * counts, counts)

    def _pooled(self, values: tf.Tensor) -> tf.Tensor:
        """Returns values of the first examples; of a large map, the means of squares of neighbours."""
        values = values[: self._count]
        stride = _stride(values.shape)
        if stride == 1 or not is_image(tuple(values.shape[1:])):
            return _thinned(values)
        channels = values if values.shape.rank == 4 else values[..., tf.newaxis]
        return tf.nn.avg_pool2d(tf.cast(channels, tf.float32), stride, stride, "SAME")


def _first_row(strategy: tf.distribute.Strategy, data: Any) -> Any:
    """Returns the batch of the first row of `data` alone, on each replica its shard; the rest need not be kept."""

    @tf.function(autograph=False)
    def run(data: Any) -> Any:
        return strategy.run(lambda own: tf.nest.map_structure(lambda value: value[0], own), args=(data,))

    return run.get_concrete_function(data)(data)


def _mean_of_each(values: Mean) -> tf.Tensor:
    """Returns the mean of a term on each example, `[examples]`; nan where nothing counts."""
    total, count = (tf.reduce_sum(tf.cast(v, tf.float64), axis=range(1, v.shape.rank)) for v in values)
    return tf.where(count > 0, total / count, math.nan)


def _stride(shape: Any) -> int:
    """Returns of how many neighbours along an axis one is kept of what has this shape, `[examples, ...]`."""
    own = tuple(shape[1:])
    if not (is_image(own) or (own and not is_points(own))):
        return 1
    return -(-max(own[:2]) // _SIDE) if is_image(own) else -(-own[0] // _LENGTH)


def _thinned(tensor: tf.Tensor) -> tf.Tensor:
    """Returns a tensor with as many numbers along its sides, or in time, as can be told apart in a panel."""
    stride = _stride(tensor.shape)
    return (
        tensor[:, ::stride, ::stride]
        if is_image(tuple(tensor.shape[1:]))
        else tensor[:, ::stride]
        if stride > 1
        else tensor
    )


def _is_of_batch(tensor: tf.Tensor, rows: int) -> bool:
    """Returns whether a tensor has an example in each row, of a size that is known and not huge."""
    shape = tensor.shape
    return shape.is_fully_defined() and shape[:1] == [rows] and math.prod(shape[1:]) <= _NUMBERS


def are_drawn(source: Source, feed: Feed, model: keras.Model) -> bool:
    """Returns whether examples are worth a picture: whether one has an image, points or a sequence.

    Mixed batches, whose parts have examples of their own, have none.
    """
    if feed.parts:
        return False
    specs = leaves(source.spec) if source.spec else example_specs(feed)
    shapes = [tuple(spec.shape) for spec in specs.values()]
    shapes += [tuple(output.shape[1:]) for output in leaves(known_outputs(model)).values()]
    return any(is_drawn(shape) for shape in shapes if None not in shape)
