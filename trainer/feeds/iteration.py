"""Iteration: a dataset on its way, and all that it takes to find the place again."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import gen_dataset_ops

from trainer.feeds.generators import Generator
from trainer.feeds.resumable import reshuffled


class Iteration(tf.__internal__.tracking.Trackable):
    """An iterator, the number of the step that it is at, and the generators that it draws new seeds from.

    `tf.train.Checkpoint` saves them together, as they are at one moment, whatever is pulled ahead meanwhile.

    Attributes:
      iterator: of the dataset.
      step: how many elements were pulled; whoever pulls counts.
    """

    iterator: Any
    step: int

    def __init__(self, make: Callable[[], tf.data.Dataset]):
        """Begins with the first element.

        Args:
          make: makes the dataset, always of the same elements.
        """
        self._make = make
        self.begin()

    def begin(self) -> None:
        """Makes the dataset anew, with caches and generators as they were at first."""
        # Nothing may be made ahead before the first pull: neither here nor while a place is restored.
        options = tf.data.Options()
        options.experimental_warm_start = False
        dataset = self._make().with_options(options)
        self._generators = [Generator(shuffled) for shuffled in reshuffled(dataset)]
        self.iterator, self.step = iter(dataset), 0

    def _serialize_to_tensors(self) -> dict[str, tf.Tensor]:
        before = None
        while before != (drawn := [generator.drawn for generator in self._generators]):
            # What is made ahead may begin another epoch meanwhile; it stops once nothing is pulled.
            before = drawn
            policy = tf.data.experimental.ExternalStatePolicy.FAIL
            place = gen_dataset_ops.serialize_iterator(self.iterator._iterator_resource, policy.value)
        return {"iterator": place, "drawn": tf.constant(drawn, tf.int64), "step": tf.constant(self.step, tf.int64)}

    def _restore_from_tensors(self, restored: dict[str, tf.Tensor]) -> None:
        self.begin()
        gen_dataset_ops.deserialize_iterator(self.iterator._iterator_resource, restored["iterator"])
        # Last the generators: iterators draw as they are made, those too that then turn out to have ended.
        for generator, drawn in zip(self._generators, restored["drawn"].numpy().tolist(), strict=True):
            generator.drawn = drawn
        self.step = int(restored["step"])
