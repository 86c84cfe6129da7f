"""Non-finite numbers: how often a run passed over some."""

import tensorflow as tf

from objectives import ConfigurationError
from objectives.errors import expected

POLICIES = ("raise", "skip", "rollback")


class NonFiniteError(Exception):
    """A run was stopped by numbers that are not finite; the message says by which term, and where to look."""


class NonFinitePolicy:
    """Counts the batches that were passed over, so that a resumed run passes over them too.

    Attributes:
      policy: one of `POLICIES`.
      variables: what a checkpoint must hold: three counts.
    """

    def __init__(self, policy: str, limit: int):
        """Begins with none.

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
        """The number of the batch that is trained on after `step` updates."""
        return step + int(self._passed)

    @property
    def counts(self) -> dict[str, float]:
        """How often it happened, by tag; nothing where it stops the run."""
        if self.policy == "raise":
            return {}
        return {"non_finite/skips": float(self._skips), "non_finite/rollbacks": float(self._rollbacks)}

    @property
    def spent(self) -> bool:
        """Whether it may not happen once more."""
        return self.policy == "raise" or int(self._skips) + int(self._rollbacks) >= self._limit

    def skip(self) -> None:
        """Passes over the current batch."""
        self._passed.assign_add(1)
        self._skips.assign_add(1)

    def roll_back(self, *, batch: int, rollbacks: int, step: int) -> None:
        """Notes that the run is back at `step`, one time more than `rollbacks`, and continues behind `batch`."""
        self._passed.assign(batch + 1 - step)
        self._rollbacks.assign(rollbacks + 1)

    @property
    def rollbacks(self) -> int:
        """How often the run went back."""
        return int(self._rollbacks)
