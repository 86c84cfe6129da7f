"""Non-finite numbers: the policy for updates that are not finite, and the count of them."""

from typing import Literal, get_args

import tensorflow as tf

from objectives import ConfigurationError
from objectives.errors import expected

Policy = Literal["raise", "skip", "rollback"]
POLICIES: tuple[Policy, ...] = get_args(Policy)


class NonFiniteError(Exception):
    """A run was stopped by numbers that are not finite; the message says by which term, and where to look."""


class NonFiniteStateError(NonFiniteError):
    """A run was stopped by weights that are not finite, and the state in memory is not what a checkpoint may hold."""


class NonFinitePolicy:
    """Counts the batches that were skipped, so that a resumed run skips them too.

    Attributes:
      policy: one of `POLICIES`.
      variables: what a checkpoint must hold: three counts.
    """

    def __init__(self, policy: Policy, limit: int):
        """Starts with no skipped batches.

        Args:
          policy: "raise" stops; "skip" does the update with the next batch instead; "rollback" goes back to the last
            checkpoint, and on from there with the batches that follow.
          limit: how often a run may skip or go back.

        Raises:
          ConfigurationError: there is no such policy.
        """
        if policy not in POLICIES:
            raise ConfigurationError(f"Trainer.non_finite is {policy!r}; {expected(str(policy), POLICIES)}")
        self.policy, self._limit = policy, limit
        self._passed, self._skips, self._rollbacks = self.variables = [
            tf.Variable(0, dtype=tf.int64, trainable=False) for _ in range(3)
        ]

    def batch(self, step: int) -> int:
        """Returns the number of the batch that the next step takes after `step` updates."""
        return step + int(self._passed)

    @property
    def counts(self) -> dict[str, float]:
        """How often an update was not finite, by tag; empty if the first one stops the run."""
        if self.policy == "raise":
            return {}
        return {"non_finite/skips": float(self._skips), "non_finite/rollbacks": float(self._rollbacks)}

    @property
    def spent(self) -> bool:
        """Whether the limit is reached."""
        return self.policy == "raise" or int(self._skips) + int(self._rollbacks) >= self._limit

    def skip(self) -> None:
        """Skips the current batch."""
        self._passed.assign_add(1)
        self._skips.assign_add(1)

    def roll_back(self, *, batch: int, rollbacks: int, step: int) -> None:
        """Records that the run returned to `step`, once more than `rollbacks`, and continues behind `batch`."""
        self._passed.assign(batch + 1 - step)
        self._rollbacks.assign(rollbacks + 1)

    @property
    def rollbacks(self) -> int:
        """How often the run was rolled back."""
        return int(self._rollbacks)
