"""IteratedFeed: batches from a `tf.data.Dataset`, read a chunk at a time."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from objectives import ConfigurationError
from objectives.blame import blamed
from objectives.quantities import quantity
from trainer.feeds.batch_sharding import BatchSharding
from trainer.feeds.feed import Block, Feed, steps_within_bytes
from trainer.feeds.iteration import Iteration
from trainer.feeds.progress import Progress
from trainer.feeds.restoring import restored_wrongly
from trainer.feeds.resumable import why_unsaved
from trainer.feeds.sketch import is_close, sketch


class IteratedFeed(Feed):
    """Batches in the order of a dataset.

    After a chunk, the iterator is exactly behind its last step: everything that was read was used. If TensorFlow can
    save the iterator, it is part of the checkpoint. If it cannot, or if another step than the next is requested, the
    dataset is built again and the batches of all earlier steps are read. In both cases a checkpoint has a sketch of the
    next batch: a restored iterator that gives another batch is not used, and a dataset that does so is refused.
    """

    def __init__(self, sharding: BatchSharding, make_batches: Callable[[], tf.data.Dataset], *, padded: bool):
        """Builds the dataset once, to find out its types and shapes.

        Args:
          sharding: how a batch is shared among replicas.
          make_batches: builds the dataset, always with the same batches: dicts of tensors `[at most batch_size, ...]`.
          padded: whether a batch may need padding to be shared.
        """
        super().__init__(sharding)
        self._sharding, self._make, self.padded = sharding, make_batches, padded
        self._spec = self._parts().element_spec
        self.limit = steps_within_bytes(sum(_bytes(spec) for spec in tf.nest.flatten(self._spec)))
        self._last: Block | None = None
        self._is_strict = True
        self._why_replayed: str | None = None

    def prepare(self, first_batch: int, *, changed: bool, strict: bool) -> None:
        self._is_strict = strict
        if changed and self._iteration.expected is not None:
            # Its state does not fit another dataset, even if TensorFlow accepts it.
            self._iteration.unrestored, self._iteration.expected = "its dataset has changed", None
            self._iteration.begin()
        if self._why_unsaved is None and self._iteration.step != first_batch:
            self._why_replayed = self._why_not_restored
        self._find(first_batch)
        with _blamed():
            self._require(first_batch + (self._iteration.next is not None), first_batch + 1)

    def chunk(self, *, first_batch: int, steps: int) -> Any:
        if not steps:  # requested for compilation, wherever the iterator is
            return self._placed(self._pulled(self._iteration.iterator, tf.constant(0))[0])
        self._find(first_batch)
        parts, pulled = self._pulled_on(steps)
        self._require(first_batch + int(pulled), first_batch + steps)
        self._iteration.step += steps
        data = self._placed(parts)
        self._last = Block(data, steps - 1, steps)
        return data

    def peek(self, first_batch: int, steps: int = 1) -> Block:
        """Returns the latest batch of training, as an iterator cannot be read ahead, or the first one before any."""
        if self._last is not None:
            return self._last
        parts, pulled = self._pulled(iter(self._parts()), tf.constant(steps))
        self._require(int(pulled), steps)
        return Block(self._placed(parts), 0, steps)

    def blocks(self) -> Iterator[Block]:
        iterator, stop = iter(self._parts()), tf.constant(self.limit)
        done, pulled = 0, self.limit
        while pulled == self.limit:
            parts, count = self._pulled(iterator, stop)
            pulled = int(count)
            done += pulled
            self._require(done, 1)
            yield Block(self._placed(parts), 0, pulled)

    def batch(self, resident: Any, row: Any) -> dict[str, Any]:
        return row

    def describe(self, step: int) -> str:
        pulled = f"data pulled from a dataset in chunks of up to {quantity(self.limit, 'step')}"
        earlier = quantity(step * self._sharding.batch_size, "example")
        again = f"now replays {earlier}" if step else "replays all earlier examples"
        if self._why_unsaved is not None:
            return f"{pulled}; the state of its iterator cannot be saved ({self._why_unsaved}): a resumed run {again}"
        if self._why_replayed or self._iteration.step < step:
            return f"{pulled}; {self._why_replayed or self._why_not_restored}: this run {again}"
        return f"{pulled}; the state of its iterator is saved"

    @functools.cached_property
    def state(self) -> Sequence[Any]:  # type: ignore[override]
        """The iteration; of one that TensorFlow cannot save, what its next batch is like."""
        return [self._iteration]

    @functools.cached_property
    def _iteration(self) -> Iteration:
        return Iteration(self._parts, is_saved=self._why_unsaved is None)

    @functools.cached_property
    def _why_unsaved(self) -> str | None:
        dataset = self._parts()
        if (reason := why_unsaved(dataset)) is not None:
            return reason
        with _blamed():
            found = restored_wrongly(dataset)
        return found and f"TensorFlow restores {found} at another place"

    @property
    def _why_not_restored(self) -> str:
        if self._iteration.unrestored:
            return f"the saved state of its iterator cannot be restored ({self._iteration.unrestored})"
        return "the saved state of its iterator is of other replicas or workers"

    def _find(self, step: int) -> None:
        """Has the iteration stand before a step, and sees to it that the batch there is the one that was saved."""
        iteration, expected = self._iteration, self._iteration.expected
        iteration.expected = None
        is_restored = iteration.step == step
        if not is_restored:
            self._go_to(step)
        if expected is None or expected.step != step or not expected.sketch.shape[1]:
            return
        saved = expected.sketch
        if self._is_next(saved, restored=is_restored):
            return
        if is_restored and self._why_unsaved is None:
            self._why_replayed = (
                "the iterator that TensorFlow restored gives another batch than the saved one would have"
            )
            self._go_to(step)
            if self._is_next(saved, restored=False):
                return
        if self._is_strict:
            raise ConfigurationError(
                f"DatasetSource: the dataset no longer gives the batches that this run was trained on: the one after "
                f"step {step:,} differs from what it was when the checkpoint was saved. Its data or its functions have "
                f"changed, or it draws from something made outside of its function (a shuffled dataset, a generator, "
                f"np.random, a random layer of Keras) or from a clock; expected a function that makes all of that "
                f"itself, from its seed; or allow_config_change, to resume with other batches"
            )
        logging.warning("the batches after step %d differ from those at the time of the checkpoint", step)

    def _is_next(self, saved: tf.Tensor, *, restored: bool) -> bool:
        with _blamed():
            try:
                return is_close(sketch(self._iteration.next), saved)
            except tf.errors.OpError:
                if not restored:
                    raise
                return False

    def _go_to(self, step: int) -> None:
        """Skips by pulling: the iterator of `dataset.skip` could not be restored into one without."""
        self._iteration.begin()
        progress = Progress(step)
        while self._iteration.step < step:
            skipped = progress.next_part
            with _blamed():
                _skip(self._iteration.iterator, tf.constant(skipped, tf.int64))
            self._iteration.step += skipped
            progress.advance(skipped)

    def _pulled_on(self, steps: int) -> Any:
        """Reads the batches of the next steps. If one fails, the iterator starts again, as its position is unknown."""
        first = self._iteration.step
        where = f" in the batches {first + 1:,} to {first + steps:,}"
        try:
            with _blamed(where):
                ahead = self._iteration.take()
            return self._pulled(self._iteration.iterator, tf.constant(steps), ahead, where)
        except ConfigurationError:
            self._iteration.begin()
            raise

    def _parts(self) -> tf.data.Dataset:
        """Yields the batches as the parts of the replicas, with the next one prepared while one is in use."""
        options = tf.data.Options()
        # A shuffle that is fused with the repetition has other state than the one whose generator is saved.
        options.experimental_optimization.shuffle_and_repeat_fusion = False
        with tf.device("CPU:0"):
            cut = functools.partial(self._sharding.cut, padded=self.padded)
            return self._make().map(cut).prefetch(tf.data.AUTOTUNE).with_options(options)

    @functools.cached_property
    def _pull(self) -> Callable[..., Any]:
        """The function `(iterator, steps, ahead, is_ahead) -> (parts, pulled)`; `ahead` comes first if there is one.

        The parts are buffers `[limit, ...]`, filled up to `pulled`.
        """
        specs = tf.nest.flatten(self._spec)

        @tf.function(autograph=False)
        def pull(iterator, steps, ahead, is_ahead):
            def body(done, _, arrays):
                element = iterator.get_next_as_optional()
                more = element.has_value()
                written = tf.cond(more, lambda: _written(arrays, done, element.get_value()), lambda: arrays)
                return done + tf.cast(more, tf.int32), more, written

            arrays = [tf.TensorArray(spec.dtype, size=self.limit, element_shape=spec.shape) for spec in specs]
            start = tf.cast(is_ahead, tf.int32), tf.constant(True), _written(arrays, tf.constant(0), ahead)
            done, _, arrays = tf.while_loop(lambda done, more, _: more & (done < steps), body, start)
            return tf.nest.pack_sequence_as(self._spec, [array.stack() for array in arrays]), done

        return pull

    def _pulled(self, iterator: Iterator[Any], steps: tf.Tensor, ahead: Any = None, where: str = "") -> Any:
        """Pulls batches, the first of which may have been pulled already; `where` they are, in words."""
        with _blamed(where):
            return self._pull(iterator, steps, self._zeros if ahead is None else ahead, tf.constant(ahead is not None))

    @functools.cached_property
    def _zeros(self) -> Any:
        return tf.nest.map_structure(lambda spec: tf.zeros(spec.shape, spec.dtype), self._spec)

    def _placed(self, parts: tuple[Any, ...]) -> Any:
        by_replica = dict(zip(self._sharding.local, parts, strict=True))
        return self._sharding.place(lambda replica: by_replica[replica])

    def _require(self, batches: int, wanted: int) -> None:
        if batches < wanted:
            raise ConfigurationError(
                f"DatasetSource: the dataset gave no more examples after {quantity(batches, 'batch', 'batches')} of "
                f"{self._sharding.batch_size:,}; expected at least one, each time that it is iterated"
            )


def _blamed(where: str = "") -> contextlib.AbstractContextManager[None]:
    """Attributes errors that the functions of the dataset raise to them."""
    return blamed(f"DatasetSource: an example of its dataset{where}")


def _written(arrays: list[tf.TensorArray], row: tf.Tensor, element: Any) -> list[tf.TensorArray]:
    return [array.write(row, value) for array, value in zip(arrays, tf.nest.flatten(element), strict=True)]


@tf.function(autograph=False)
def _skip(iterator, steps):
    def body(done, _):
        return done + 1, iterator.get_next_as_optional().has_value()

    start = tf.constant(0, tf.int64), tf.constant(True)
    tf.while_loop(lambda done, more: more & (done < steps), body, start)


def _bytes(spec: tf.TensorSpec) -> int:
    return spec.shape.num_elements() * spec.dtype.size
