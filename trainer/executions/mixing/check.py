"""Check: before a batch is cut or padded, sees once to it that its examples and its shards are independent."""

import dataclasses

from trainer.executions.chunk import gather_batch
from trainer.executions.data import RunData
from trainer.executions.failures import failures_told
from trainer.executions.mixing.independent import are_independent
from trainer.executions.mixing.refusal import refuse_mixing
from trainer.executions.shares import refuse_losses_that_do_not_add_up
from trainer.feeds.feed import Feed
from trainer.steps.forward import Forward
from trainer.steps.train_step import TrainStep

_FAILED = "the check of whether a batch can be split fails"


class MixingCheck:
    """Looks at the model, the terms and the losses of a step, unless it has found them sound before."""

    def __init__(self, step: TrainStep, data: RunData):
        self._step, self._data = step, data
        self._is_done = self._is_done_in_evaluation = False

    def require_unmixed(self, number: int) -> None:
        """Checks training after so many updates, and evaluation with it.

        Raises:
          ConfigurationError: a batch is cut or padded, and the numbers of an example depend on the others, see
            `refuse_mixing`, or the losses of shards do not add up.
        """
        data, forward = self._data, self._step.forward
        is_padded = data.evaluates and data.eval_feed.padded
        if not self._is_done and (is_padded or forward.is_cut):
            with failures_told(_FAILED):
                refuse_losses_that_do_not_add_up(data.strategy, self._step)
            size = data.train_sharding.shape[1] // data.micro_batches
            self._refuse_mixing(forward, data.train_feed, number, size=size)
            self._is_done = self._is_done_in_evaluation = True

    def require_unmixed_in_evaluation(self, number: int) -> None:
        """Checks evaluation alone after so many updates; it looks at no pass of training.

        Raises:
          ConfigurationError: a batch is shared or padded, and the numbers of an example depend on the others.
        """
        feed = self._data.eval_feed
        forward = dataclasses.replace(self._step.forward, micro_batches=1)  # as nothing is accumulated
        if not self._is_done_in_evaluation and (feed.padded or forward.is_cut):
            self._refuse_mixing(forward, feed, number, size=self._data.eval_sharding.shape[1], trains=False)
            self._is_done_in_evaluation = True

    def _refuse_mixing(self, forward: Forward, feed: Feed, number: int, *, size: int, trains: bool = True) -> None:
        strategy = self._data.strategy
        if not are_independent(forward.model, forward.objective.terms.values()):
            with failures_told(_FAILED):
                batch = gather_batch(strategy, feed, feed.peek(number if trains else 0).data)
                with self._step.state.kept():
                    refuse_mixing(strategy, forward, batch, number, size=size, trains=trains)
