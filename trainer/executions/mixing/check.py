"""Check: before a batch is cut or padded, sees once to it that no example depends on the others of its batch."""

import dataclasses

import tensorflow as tf

from trainer.executions.chunk import gather_batch
from trainer.executions.mixing.independent import are_independent
from trainer.executions.mixing.refusal import refuse_mixing
from trainer.feeds.feed import Feed
from trainer.steps.forward import Forward
from trainer.steps.train_step import TrainStep


class MixingCheck:
    """Looks at the model and the terms of a step, see `refuse_mixing`, unless it has found them sound before."""

    def __init__(self, strategy: tf.distribute.Strategy, step: TrainStep):
        self._strategy, self._step = strategy, step
        self._is_done = self._is_done_in_evaluation = False

    def require_unmixed(self, feed: Feed, number: int, *, size: int, is_padded: bool) -> None:
        """Checks training, and evaluation with it.

        Args:
          feed: of training.
          number: of updates done.
          size: how many examples go through the model at once.
          is_padded: whether evaluation pads a batch.

        Raises:
          ConfigurationError: a batch is cut or padded, and the numbers of an example depend on the others.
        """
        if not self._is_done and (is_padded or self._step.forward.is_cut):
            self._refuse_mixing(self._step.forward, feed, number, size=size)
            self._is_done = self._is_done_in_evaluation = True

    def require_unmixed_in_evaluation(self, feed: Feed, number: int, *, size: int) -> None:
        """Checks evaluation alone, in which nothing is accumulated; it looks at no pass of training.

        Args:
          feed: of evaluation.
          number: of updates done.
          size: how many examples go through the model at once.

        Raises:
          ConfigurationError: a batch is shared or padded, and the numbers of an example depend on the others.
        """
        forward = dataclasses.replace(self._step.forward, micro_batches=1)
        if not self._is_done_in_evaluation and (feed.padded or forward.is_cut):
            self._refuse_mixing(forward, feed, number, size=size, trains=False)
            self._is_done_in_evaluation = True

    def _refuse_mixing(self, forward: Forward, feed: Feed, number: int, *, size: int, trains: bool = True) -> None:
        if not are_independent(forward.model, forward.objective.terms.values()):
            batch = gather_batch(self._strategy, feed, feed.peek(number if trains else 0).data)
            with self._step.state.kept():
                refuse_mixing(self._strategy, forward, batch, number, size=size, trains=trains)
