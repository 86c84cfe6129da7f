"""Fault: the first update of a `fit` that would not be finite, kept on the device and told on the host."""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from trainer.executions.non_finite import NonFiniteError
from trainer.fit.fit_step import Outcome
from trainer.fit.outside import first_outside, ranges_of, told
from trainer.reports.log import term_names
from trainer.steps.variables.state import parts_of

_NONE = -1.0


class Fault:
    """Keeps the numbers of the first update that would not be finite; no update is made from then on until it is told.

    Several updates run in one call with `steps_per_execution`, and none of them may hide the first one at fault.
    """

    def __init__(self, strategy: tf.distribute.Strategy, tags: Sequence[str]):
        """Makes the variable.

        Args:
          strategy: of the replicas, all of which note the same.
          tags: the names of the numbers of an update.
        """
        self._tags = tuple(tags)
        self._ranges: list[str] = []
        with strategy.scope():
            self._noted = tf.Variable(
                self._nothing,
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
        self._parts = parts_of(self._noted)

    @property
    def is_open(self) -> tf.Tensor:
        """Whether one was noted, a bool scalar; in replica context."""
        return self._own[0] >= 0

    def note(self, outcome: Outcome, step: tf.Tensor) -> None:
        """Notes an update, unless it is sound or another was noted before; in replica context.

        Args:
          outcome: of the update.
          step: the number of updates done before.
        """
        self._ranges[:] = ranges_of(outcome.readings)
        own = self._own
        parts = [[tf.cast(step, own.dtype)], first_outside(outcome.readings), tf.cast(outcome.row, own.dtype)]
        self._noted.assign(tf.where(outcome.sound | (own[0] >= 0), own, tf.concat(parts, axis=0)))

    def raise_any(self) -> None:
        """Raises NonFiniteError if one was noted, and forgets it.

        Raises:
          NonFiniteError: it says which terms, labels or indices are at fault; the model is as it was before the update.
        """
        if self._parts[0].numpy()[0] < 0:
            return
        of_replicas = [part.numpy().tolist() for part in self._parts]
        for part in self._parts:
            part.assign(self._nothing)
        step, _, _, *row = of_replicas[0]
        outside = told(self._ranges, [part[1:3] for part in of_replicas])
        found = outside or [_at_fault(dict(zip(self._tags, row, strict=True)))]
        raise NonFiniteError(
            f"the update of step {int(step) + 1:,} would not be finite, and is not made: {'; '.join(found)}. The model "
            f"and the optimizer are as before that update"
        )

    @property
    def _nothing(self) -> np.ndarray:
        """No step, no range, and as many numbers as a step has."""
        return np.full(3 + len(self._tags), _NONE)

    @property
    def _own(self) -> tf.Tensor:
        """The values on this replica."""
        return tf.convert_to_tensor(self._noted)


def _at_fault(values: dict[str, float]) -> str:
    """Describes what is not finite.

    >>> _at_fault({"terms/a/raw": math.nan, "terms/a/weight": 1.0, "terms/a/weighted": math.nan})
    "the raw value of the term 'a' is nan"
    """
    wrong = [
        f"the {what} of the term {name!r} is {values[tag]:g}"
        for name in term_names(values)
        for what, tag in _first_wrong(name, values)
    ]
    if wrong:
        return "; ".join(wrong)
    if not math.isfinite(values["loss/total"]):
        return "the sum of the terms overflows, while each term is finite"
    norm = values["optimizer/grad_norm"]
    return f"the norm of the gradient is {norm:g}, while the value of each term is finite"


def _first_wrong(name: str, values: dict[str, float]) -> list[tuple[str, str]]:
    """Returns the first of a term's numbers that is not finite, in words, with its tag; none if all are."""
    numbers = [("raw value", "raw"), ("weight", "weight"), ("weighted value", "weighted")]
    tags = [(words, f"terms/{name}/{what}") for words, what in numbers]
    return [(words, tag) for words, tag in tags if not math.isfinite(values[tag])][:1]
