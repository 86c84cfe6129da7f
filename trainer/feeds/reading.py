"""Reading: an iteration that is read a chunk at a time; the next chunk is read while this one runs."""

from collections.abc import Callable

import tensorflow as tf

from objectives import ConfigurationError
from trainer.feeds.iteration import Iteration
from trainer.feeds.pause import Pause
from trainer.feeds.pulling import Puller, Rows, blamed_of_dataset
from trainer.feeds.sketch import sketch
from trainer.storage.background_task import BackgroundTask


class Reading(Iteration):
    """The batches of a dataset in the rows of buffers.

    Batches that were read and not yet asked for are part of its saved position. What reads them in the background is
    paused before anything else looks at the iterator.
    """

    def __init__(self, make: Callable[[], tf.data.Dataset], puller: Puller, *, is_saved: bool = True):
        """Starts at the first batch.

        Args:
          make: builds the dataset, always with the same batches.
          puller: reads them.
          is_saved: whether the iterator is saved, with what was read of it; see `Iteration`.
        """
        self._puller, self._rows = puller, puller.nothing()
        self._background: BackgroundTask[None] = BackgroundTask()
        self._pause = Pause()
        super().__init__(make, is_saved=is_saved)

    def begin(self) -> None:
        # What failed in the background, and up to which row it was to read: behind its rows, the place is unknown.
        self._failure: ConfigurationError | None = None
        self._aim = 0
        super().begin()

    @property
    def position(self) -> int:
        """The number of batches that were asked for."""
        rows = self.pause()
        return self.step - rows.length

    def read(self, steps: int, where: str = "") -> Rows:
        """Returns the next batches, in the first rows of buffers that nothing is written to any more.

        Args:
          steps: how many; there are fewer where the dataset ends.
          where: which batches these are, in words.

        Raises:
          ConfigurationError: A function of the dataset failed; the iteration is at its first batch then.
        """
        rows = self._with_next(steps, where)
        self._rows = rows._replace(first=min(steps, rows.stop))
        return rows._replace(stop=self._rows.first)

    def foresee(self, steps: int, where: str = "") -> None:
        """Begins to read the batches that will be asked for next, as far as one can know."""
        if self._failure is None:
            self._pause.set(False)
            self._background.begin("rows", lambda: self._fill(steps, where))

    def has_next(self) -> bool:
        """Returns whether there is another batch.

        Raises:
          ConfigurationError: A function of the dataset failed instead; the iteration is at its first batch then.
        """
        return self._with_next(1, "").length > 0

    def reaches(self, steps: int) -> bool:
        """Returns whether it knows of so many batches that it has them, or that one of them fails."""
        rows = self.pause()
        return self._failure is None or rows.length >= steps or rows.first + steps >= self._aim

    def pause(self) -> Rows:
        """Ends what is read in the background; the batches that were read and not yet asked for."""
        self._pause.set(True)
        try:
            self._background.take("rows")
        except ConfigurationError as error:
            # It may be behind what will be asked for.
            self._failure = error
        return self._rows

    def drop(self) -> None:
        """Drops the batches that were read and not yet asked for."""
        self.pause()
        self._rows = self._puller.nothing()

    def peek_ahead(self) -> None:
        rows = self.pause()
        if self._failure is not None:
            self._begin_again()
        elif self._is_saved or not rows.length:
            super().peek_ahead()

    def let_go(self) -> None:
        self.pause()
        super().let_go()

    def _with_next(self, steps: int, where: str) -> Rows:
        """Returns the batches that were read and not yet asked for, with at least so many of them, from row 0 on."""
        if self.pause().length < steps and self._failure is not None:
            failure = self._failure
            self._begin_again()
            raise failure
        self._pause.set(False)
        try:
            self._fill(steps, where)
        except ConfigurationError:
            self._begin_again()
            raise
        return self._rows

    def _fill(self, steps: int, where: str) -> None:
        """Reads batches until there are so many that were not yet asked for, or none is left, or it is paused."""
        self._rows, self._aim = self._puller.moved(self._rows), steps
        if self._rows.stop >= steps:
            return
        with blamed_of_dataset(where):
            ahead = self.take()
        for rows in self._puller.pull(self.iterator, self._rows, steps, ahead=ahead, where=where, pause=self._pause):
            self.step += rows.stop - self._rows.stop
            self._rows = rows
            if self._pause.is_set:
                return

    def _begin_again(self) -> None:
        self.drop()
        self.begin()

    def _serialize_to_tensors(self) -> dict[str, tf.Tensor]:
        rows = self.pause()
        tensors, buffers = super()._serialize_to_tensors(), tf.nest.flatten(rows.buffers)
        if self._is_saved:
            # As text, so that a checkpoint of batches of another structure can be read too.
            read = [tf.io.serialize_tensor(buffer[rows.first : rows.stop]) for buffer in buffers]
            return tensors | {
                "read": tf.stack(read),
                "like": tf.constant(self._like),
                "count": tf.constant(rows.length),
            }
        if rows.length:
            first = sketch([tf.constant(buffer[rows.first]) for buffer in buffers])
            tensors |= {"step": tf.constant(self.position, tf.int64), "next": first}
        return tensors

    def _restore_from_tensors(self, restored: dict[str, tf.Tensor]) -> None:
        self.drop()
        super()._restore_from_tensors(restored)
        if not self._is_saved:
            return
        buffers, count = self._rows.buffers, int(restored["count"])
        if restored["like"].numpy().decode() == self._like:
            types = [buffer.dtype for buffer in tf.nest.flatten(buffers)]
            read = [
                tf.io.parse_tensor(text, kind).numpy()
                for text, kind in zip(restored["read"].numpy(), types, strict=True)
            ]
            self._rows = self._puller.holding(tf.nest.pack_sequence_as(buffers, read))
        elif self.expected is not None:
            # Nothing here is like these batches: whoever looks for the first of them sees that.
            self.expected = self.expected._replace(step=self.expected.step - count)

    @property
    def _like(self) -> str:
        """What a batch is like, as text."""
        return str([(buffer.shape[1:], buffer.dtype.name) for buffer in tf.nest.flatten(self._rows.buffers)])
