"""Iteration: the iterator of a dataset, with what it takes to restore its position and to recognise it."""

import atexit
import dataclasses
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.python.ops import gen_dataset_ops

from objectives.blame import told
from trainer.feeds.generators import Generator
from trainer.feeds.pipeline import numbers_of
from trainer.feeds.resumable import reshuffled
from trainer.feeds.sketch import sketch

# All of them, so that none is left when the process ends.
_alive: "weakref.WeakSet[Iteration]" = weakref.WeakSet()


@atexit.register
def _let_go_of_all() -> None:
    """Ends what iterators make ahead: a Python function among it would wait forever for an interpreter that is gone."""
    for iteration in list(_alive):
        iteration.let_go()


@dataclasses.dataclass(frozen=True)
class _Ahead:
    """An element that was read ahead; or the end of the dataset, or the error that was raised instead.

    Attributes:
      place: the saved state of the iterator before the element.
    """

    place: dict[str, tf.Tensor]
    element: Any = None
    error: tf.errors.OpError | None = None


class Expected(NamedTuple):
    """What a checkpoint stores of the element after a step: its sketch, empty if it is unknown."""

    step: int
    sketch: tf.Tensor


class Iteration(tf.__internal__.tracking.Trackable):
    """An iterator with the number of its step and the generators that it draws new seeds from.

    `tf.train.Checkpoint` saves them together as they are at one moment, whatever is read ahead meanwhile. It also saves
    a sketch of the next element (see `peek_ahead`), by which a restored position is recognised.

    Attributes:
      iterator: the iterator of the dataset; an element of `take` comes before its own.
      step: the number of elements taken, which the caller counts.
      expected: after a position was restored, what came next there.
      unrestored: why TensorFlow could not restore the iterator, which is at the first step then, or None.
    """

    iterator: Any
    step: int
    expected: Expected | None = None
    unrestored: str | None = None

    def __init__(self, make: Callable[[], tf.data.Dataset], *, is_saved: bool = True):
        """Starts at the first element.

        Args:
          make: builds the dataset, always with the same elements.
          is_saved: whether the iterator is saved; otherwise only the step and the sketch of the next element are.
        """
        self._make, self._is_saved = make, is_saved
        self.begin()
        _alive.add(self)

    def begin(self) -> None:
        """Builds the dataset again, with caches and generators in their initial state."""
        # Nothing may be prefetched before the first pull: neither here nor while a position is restored.
        options = tf.data.Options()
        options.experimental_warm_start = False
        dataset = self._make().with_options(options)
        self._generators = [Generator(shuffled) for shuffled in reshuffled(dataset)] if self._is_saved else []
        self._numbers = numbers_of(dataset)
        self.iterator, self.step = iter(dataset), 0
        self._ahead: _Ahead | None = None

    def let_go(self) -> None:
        """Ends the iterator, at which nothing may be asked for any more."""
        del self.iterator

    def peek_ahead(self) -> None:
        """Pulls the next element, which `take` then gives, so that what is saved tells it; raises nothing of it."""
        self._ahead = self._ahead or self._peeked()

    @property
    def next(self) -> Any:
        """Returns the next element, or None at the end.

        Raises:
          OpError: The dataset raised it instead of giving an element.
        """
        ahead = self._ahead = self._ahead or self._peeked()
        if ahead.error is not None:
            raise ahead.error
        return ahead.element

    def take(self) -> Any:
        """Returns the next element if it was read ahead, to be used before those of the iterator, or None.

        Raises:
          OpError: The dataset raised it instead of giving an element.
        """
        element = self.next if self._ahead is not None else None
        self._ahead = None
        return element

    def _peeked(self) -> _Ahead:
        place = self._place()
        try:
            element = self.iterator.get_next_as_optional()
            return _Ahead(place, element.get_value() if element.has_value() else None)
        except tf.errors.OpError as error:
            return _Ahead(place, error=error)

    def _place(self) -> dict[str, tf.Tensor]:
        """Returns the state of the iterator and of the generators at one moment."""
        if not self._is_saved:
            return {}
        before = None
        while before != (drawn := [generator.drawn for generator in self._generators]):
            # The prefetch may begin another epoch meanwhile; it stops once nothing is pulled.
            before = drawn
            policy = tf.data.experimental.ExternalStatePolicy.FAIL
            place = gen_dataset_ops.serialize_iterator(self.iterator._iterator_resource, policy.value)
        return {"iterator": place, "drawn": tf.constant(drawn, tf.int64)}

    def _serialize_to_tensors(self) -> dict[str, tf.Tensor]:
        place = self._place() if self._ahead is None else self._ahead.place
        following = sketch(None if self._ahead is None else self._ahead.element)
        step, numbers = tf.constant(self.step, tf.int64), tf.constant(self._numbers)
        return {**place, "step": step, "next": following, "numbers": numbers}

    def _restore_from_tensors(self, restored: dict[str, tf.Tensor]) -> None:
        self.begin()
        step = int(restored["step"])
        self.expected, self.unrestored = Expected(step, restored["next"]), None
        if not self._is_saved:
            return
        if (before := restored["numbers"].numpy().decode()) != self._numbers:
            self.unrestored = f"it is of {_different(before, self._numbers)}"
            return
        try:
            gen_dataset_ops.deserialize_iterator(self.iterator._iterator_resource, restored["iterator"])
        except tf.errors.OpError as error:
            self.begin()
            self.unrestored = told(error)
            return
        # The generators come last: iterators draw when they are created, even those that turn out to have ended.
        for generator, drawn in zip(self._generators, restored["drawn"].numpy().tolist(), strict=True):
            generator.drawn = drawn
        self.step = step


def _different(before: str, now: str) -> str:
    """Describes the first dataset that is made with other numbers, and these numbers."""
    parts = zip(before.split(") "), now.split(") "), strict=False)
    return next((f"{old.rstrip(')')}), now {new.rstrip(')')})" for old, new in parts if old != new), "other datasets")
