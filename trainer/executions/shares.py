"""Shares: whether the losses of a step add up over replicas and micro-batches to those of the whole batch."""

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from trainer.executions.mixing.first_replica import FirstReplica
from trainer.steps.train_step import TrainStep
from trainer.steps.weighted_sum import WeightedSum

_COUNT, _TOLERANCE = 8.0, 1e-3


def refuse_losses_that_do_not_add_up(strategy: tf.distribute.Strategy, step: TrainStep) -> None:
    """Tries `TrainStep.losses` with the totals of two shards and with their sum, where a batch is cut.

    The gradients of all shards are added, so the losses of two shards must add up to those of both.

    Raises:
      ConfigurationError: a loss is not linear in the totals, such as a logarithm, or has a part that reads no total.
    """
    if not step.forward.is_cut or all(isinstance(turn.step, WeightedSum) for turn in step.turns):
        return
    parts, rng = len(step.forward.parts), np.random.default_rng(0)
    one, other = rng.uniform(0.5, 2.0, [2, parts]).astype(np.float32)
    weights = rng.uniform(0.5, 2.0, len(step.forward.objective.terms)).astype(np.float32)
    # Counts are those of the whole batch, for each shard.
    losses = FirstReplica(
        strategy, lambda totals: step.losses(tf.unstack(totals), tf.fill([parts], _COUNT), tf.constant(weights))
    )
    with step.state.kept():
        of_one, of_other, of_both = (np.array(losses(tf.constant(totals))) for totals in (one, other, one + other))
    wrong = np.abs(of_one + of_other - of_both) > _TOLERANCE * np.abs(of_both)
    if wrong.any():
        i = int(wrong.argmax())
        raise ConfigurationError(
            f"{type(step).__name__}.losses does not add up over replicas and micro-batches: of loss {i}, two shards "
            f"have {of_one[i]:.4g} and {of_other[i]:.4g}, and both together {of_both[i]:.4g}; expected sums and "
            f"multiples of `weighted_terms`, or other linear functions of the totals"
        )
