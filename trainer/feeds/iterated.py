"""IteratedFeed: batches from a `tf.data.Dataset`; those of the next chunk are read while one runs."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from objectives import ConfigurationError
from objectives.quantities import quantity
from trainer.feeds.batch_sharding import BatchSharding
from trainer.feeds.buffers import as_tensor
from trainer.feeds.feed import Block, Feed, steps_within_bytes
from trainer.feeds.progress import Progress
from trainer.feeds.pulling import Puller, Rows, blamed_of_dataset
from trainer.feeds.reading import Reading
from trainer.feeds.restoring import restored_wrongly
from trainer.feeds.resumable import why_unsaved
from trainer.feeds.sketch import is_close, sketch

# Batches that TensorFlow prepares besides those of the next chunk; all of them would be in a checkpoint too.
_PREFETCHED = 4


class IteratedFeed(Feed):
    """Batches in the order of a dataset.

    While a chunk runs, the batches of the next one are read. If TensorFlow can save the iterator, it is part of the
    checkpoint, with those batches that were read and not trained on. If it cannot, or if another step than the next is
    requested, the dataset is built again and the batches of all earlier steps are read. In both cases a checkpoint has
    a sketch of the next batch of the iterator: a restored iterator that gives another batch is not used, and a dataset
    that does so is refused.
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
        spec = self._parts().element_spec
        self.limit = steps_within_bytes(sum(one.shape.num_elements() * one.dtype.size for one in tf.nest.flatten(spec)))
        self._puller = Puller(spec, self.limit)
        self._last: Block | None = None
        self._is_strict = True
        self._why_replayed: str | None = None

    def prepare(self, first_batch: int, *, changed: bool, strict: bool) -> None:
        self._is_strict = strict
        if changed and self._reading.expected is not None:
            # Its state does not fit another dataset, even if TensorFlow accepts it.
            self._reading.unrestored, self._reading.expected = "its dataset has changed", None
            self._reading.drop()
            self._reading.begin()
        if self._why_unsaved is None and self._reading.position != first_batch:
            self._why_replayed = self._why_not_restored
        self._find(first_batch)
        self._require(first_batch + self._reading.has_next(), first_batch + 1)

    def chunk(self, *, first_batch: int, steps: int) -> Any:
        if not steps:  # requested for compilation, wherever the iterator is
            return self._placed(self._puller.nothing())
        self._find(first_batch, steps)
        rows = self._reading.read(steps, _where(first_batch, steps))
        self._require(first_batch + rows.length, first_batch + steps)
        data = self._placed(rows)
        self._last = Block(data, steps - 1, steps)
        self._reading.foresee(steps, _where(first_batch + steps, steps))
        return data

    def peek(self, first_batch: int, steps: int = 1) -> Block:
        """Returns the latest batch of training, as an iterator cannot be read ahead, or the first one before any."""
        if self._last is not None:
            return self._last
        rows = self._another().read(steps)
        self._require(rows.length, steps)
        return Block(self._placed(rows), 0, steps)

    def blocks(self) -> Iterator[Block]:
        reading, done = self._another(), 0
        while (rows := reading.read(self.limit)).length:
            reading.foresee(self.limit)
            done += rows.length
            yield Block(self._placed(rows), 0, rows.length)
        self._require(done, 1)

    def batch(self, resident: Any, row: Any) -> dict[str, Any]:
        return row

    def describe(self, step: int) -> str:
        pulled = f"data pulled from a dataset in chunks of up to {quantity(self.limit, 'step')}"
        earlier = quantity(step * self._sharding.batch_size, "example")
        again = f"now replays {earlier}" if step else "replays all earlier examples"
        if self._why_unsaved is not None:
            return f"{pulled}; the state of its iterator cannot be saved ({self._why_unsaved}): a resumed run {again}"
        if self._why_replayed or self._reading.position < step:
            return f"{pulled}; {self._why_replayed or self._why_not_restored}: this run {again}"
        return f"{pulled}; the state of its iterator is saved"

    @functools.cached_property
    def state(self) -> Sequence[Any]:  # type: ignore[override]
        """The reading; of an iterator that TensorFlow cannot save, what its next batch is like."""
        return [self._reading]

    @functools.cached_property
    def _reading(self) -> Reading:
        return Reading(self._parts, self._puller, is_saved=self._why_unsaved is None)

    def _another(self) -> Reading:
        """Returns a reading from the first batch on, without any effect on that of training."""
        return Reading(self._parts, self._puller, is_saved=False)

    @functools.cached_property
    def _why_unsaved(self) -> str | None:
        dataset = self._parts()
        if (reason := why_unsaved(dataset)) is not None:
            return reason
        with blamed_of_dataset():
            found = restored_wrongly(dataset)
        return found and f"TensorFlow restores {found} at another place"

    @property
    def _why_not_restored(self) -> str:
        if self._reading.unrestored:
            return f"the saved state of its iterator cannot be restored ({self._reading.unrestored})"
        return "the saved state of its iterator is of other replicas or workers"

    def _find(self, step: int, steps: int = 1) -> None:
        """Has the reading stand before some steps, and sees to it that what comes there is what was saved."""
        reading, expected = self._reading, self._reading.expected
        reading.expected = None
        place = step + reading.pause().length  # of the iterator
        is_restored = reading.step == place and reading.reaches(steps)
        if not is_restored:
            if expected is None or expected.step != place:
                reading.drop()
                place = step
            self._go_to(place)
        if expected is None or expected.step != place or not expected.sketch.shape[1]:
            return
        saved = expected.sketch
        if self._is_next(saved, restored=is_restored):
            return
        if is_restored and self._why_unsaved is None:
            self._why_replayed = (
                "the iterator that TensorFlow restored gives another batch than the saved one would have"
            )
            self._go_to(place)
            if self._is_next(saved, restored=False):
                return
        if self._is_strict:
            raise ConfigurationError(
                f"DatasetSource: the dataset no longer gives the batches that this run was trained on: the one after "
                f"step {place:,} differs from what it was when the checkpoint was saved. Its data or its functions "
                f"have changed, or it draws from something made outside of its function (a shuffled dataset, a "
                f"generator, np.random, a random layer of Keras) or from a clock; expected a function that makes all "
                f"of that itself, from its seed; or allow_config_change, to resume with other batches"
            )
        logging.warning("the batches after step %d differ from those at the time of the checkpoint", place)

    def _is_next(self, saved: tf.Tensor, *, restored: bool) -> bool:
        with blamed_of_dataset():
            try:
                return is_close(sketch(self._reading.next), saved)
            except tf.errors.OpError:
                if not restored:
                    raise
                return False

    def _go_to(self, step: int) -> None:
        """Skips by pulling: the iterator of `dataset.skip` could not be restored into one without."""
        self._reading.begin()
        progress = Progress(step)
        while self._reading.step < step:
            skipped = progress.next_part
            with blamed_of_dataset():
                _skip(self._reading.iterator, tf.constant(skipped, tf.int64))
            self._reading.step += skipped
            progress.advance(skipped)

    def _parts(self) -> tf.data.Dataset:
        """Yields the batches as the parts of the replicas, with the next one prepared while one is in use."""
        options = tf.data.Options()
        # A shuffle that is fused with the repetition has other state than the one whose generator is saved.
        options.experimental_optimization.shuffle_and_repeat_fusion = False
        with tf.device("CPU:0"):
            cut = functools.partial(self._sharding.cut, padded=self.padded)
            return self._make().map(cut).prefetch(_PREFETCHED).with_options(options)

    def _placed(self, rows: Rows) -> Any:
        parts = tf.nest.map_structure(as_tensor, rows.buffers)
        by_replica = dict(zip(self._sharding.local, parts, strict=True))
        return self._sharding.place(lambda replica: by_replica[replica])

    def _require(self, batches: int, wanted: int) -> None:
        if batches < wanted:
            raise ConfigurationError(
                f"DatasetSource: the dataset gave no more examples after {quantity(batches, 'batch', 'batches')} of "
                f"{self._sharding.batch_size:,}; expected at least one, each time that it is iterated"
            )


def _where(first_batch: int, steps: int) -> str:
    return f" in the batches {first_batch + 1:,} to {first_batch + steps:,}"


@tf.function(autograph=False)
def _skip(iterator, steps):
    def body(done, _):
        return done + 1, iterator.get_next_as_optional().has_value()

    start = tf.constant(0, tf.int64), tf.constant(True)
    tf.while_loop(lambda done, more: more & (done < steps), body, start)
