"""RandomStreams: makes the draws of random layers a function of the seed, the step, the replica and the call."""

import contextlib
import copy
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from trainer.steps.variables.state import GENERATOR

# How far apart the draws of one step and the next are numbered, and the seeds of two replicas. Keras takes both modulo
# 2^31 - 2, of which these are about the golden section and the fraction of the square root of 2: among a million steps
# the nearest two are 1,824 draws apart, among a hundred million 13.
_STEP, _REPLICA, _MODULUS = 1_327_244_077, 889_516_879, 2**31 - 2
# How far apart those of further passes of one step are numbered: the fraction of the square root of 3.
_ASIDE = 1_572_067_137


class RandomStreams:
    """The random generators of a model, which are reset in each step, so that there is no stream to resume.

    Replica 0 keeps the seeds that the generators were made with. Replicas differ from one another, as do steps, layers
    and the micro-batches of a step.

    Attributes:
      variables: the seeds, which a checkpoint must hold: another process may have made others.
    """

    def __init__(self, strategy: tf.distribute.Strategy, model: keras.Model):
        self._strategy = strategy
        self._number, self._updates = 0, 1
        self._generators = [variable for variable in model.variables if variable.name == GENERATOR]
        self.variables: list[tf.Variable] = []
        if self._generators:
            seeds = np.stack([generator.numpy()[0] for generator in self._generators])
            with strategy.scope():
                self.variables = [tf.Variable(seeds, trainable=False)]

    def __contains__(self, variable: object) -> bool:
        """Returns whether a variable is the state of one of the generators."""
        return any(variable is generator for generator in self._generators)

    def of_update(self, number: int, *, of: int) -> "RandomStreams":
        """Returns the streams of one of several updates within a step, numbered from 0 on; each draws other numbers."""
        other = copy.copy(self)
        other._number, other._updates = number, of
        return other

    def update(self, step: tf.Tensor) -> tf.Tensor:
        """Returns a number that no other update of the run has; where a step has a single one, the step's own."""
        return step * self._updates + self._number

    def begin(self, step: tf.Tensor) -> None:
        """Puts the generators where the draws of a step begin; in replica context.

        Args:
          step: the number of updates done, an int64 scalar. Other draws than those of training count from -1 down.
        """
        if not self._generators:
            return
        replica = tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int64)
        seeds = self.variables[0] + _REPLICA * replica
        draws = tf.fill(seeds.shape, tf.math.floormod(self.update(step) * _STEP, _MODULUS))
        for generator, state in zip(self._generators, tf.unstack(tf.stack([seeds, draws], axis=1)), strict=True):
            generator.assign(state)

    @contextlib.contextmanager
    def aside(self, number: int) -> Iterator[None]:
        """Draws other numbers within the context, and those after it as if there had been none; in replica context.

        Args:
          number: tells such contexts of one step apart, from 1 on.
        """
        before = [tf.identity(generator.value) for generator in self._generators]
        for generator, state in zip(self._generators, before, strict=True):
            aside = (tf.cast(state[1], tf.int64) + number * _ASIDE) % _MODULUS
            generator.assign(tf.stack([state[0], tf.cast(aside, state.dtype)]))
        yield
        for generator, state in zip(self._generators, before, strict=True):
            generator.assign(state)

    def begin_evaluation(self, step: int) -> None:
        """Puts the generators where the draws of an evaluation begin; outside of replica context."""
        if self._generators:
            self._strategy.run(self.begin, args=(tf.constant(-1 - step, tf.int64),))
