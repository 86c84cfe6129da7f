"""Checks of batches: the order and the number of examples, shards on replicas and in micro-batches, padding."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from objectives.batch_statistic import BatchStatistic
from objectives.keys import is_of_batch
from objectives.term import Term
from objectives.testing.check import OF_BATCHES, Check
from objectives.testing.closeness import require_close, require_close_gradients
from objectives.testing.subject import Subject, Tensors

_ALONE = (
    "compute each example from its own row alone, without a mean, a maximum or a difference over the axis of the batch "
    "(a statistic of a whole batch is a BatchStatistic)"
)
# The checks by which examples do not depend on one another.
INDEPENDENCE = ("order of examples", "shards")
# An empty shard, one of one example, and the rest.
_SHARDS = (np.s_[:0], np.s_[:1], np.s_[1:])


def order_of_examples(subject: Subject) -> str:
    """Examples in another order have the same values, in that order."""
    order = np.roll(np.arange(subject.size)[::-1], 1)
    other = subject.rows(order)
    if isinstance(subject.plain, Term):
        require_close(subject.each(other), subject.each(subject.tensors)[order], "a value in another order", _ALONE)
    remedy = "use no row by its number, and no order of rows"
    require_close(subject.value(other), subject.value(subject.tensors), "the mean in another order", remedy)
    return ""


def repeated_batch(subject: Subject) -> str:
    """The mean over a batch twice is the mean over it once."""
    twice = subject.rows(np.tile(np.arange(subject.size), 2))
    remedy = "return values for each example, and leave it to the term to divide by their number"
    require_close(subject.value(twice), subject.value(subject.tensors), "the mean over a batch twice", remedy)
    return ""


def shards(subject: Subject) -> str:
    """Uneven and empty shards merge to the whole, its gradient too: on replicas, and in micro-batches."""
    whole = subject.mean(subject.tensors)
    merged = subject.mean(subject.rows(_SHARDS[0]))
    for part in _SHARDS[1:]:
        merged = merged.merge(subject.mean(subject.rows(part)))
    require_close(merged.count, whole.count, "the count of values of merged shards", _ALONE)
    require_close(merged.result(), whole.result(), "the mean of merged shards", _ALONE)
    _, expected = subject.differentiate(subject.tensors)
    require_close_gradients(_merged_gradients(subject), expected, subject, "of merged shards", _ALONE)
    return "an empty one, one of 1 example, and the rest"


def gathering(subject: Subject) -> str:
    """On each of several replicas, uneven and empty ones too, a statistic is that of the whole batch."""
    expected = subject.value(subject.tensors)
    parts = [subject.rows(part) for part in _SHARDS]
    for part in parts:
        found = subject.value(part, gather=_Gather(subject, parts))
        require_close(found, expected, "the statistic on a replica", "leave `mean` to BatchStatistic, which gathers")
    return "an empty shard, one of 1 example, and the rest"


def padding(subject: Subject) -> str:
    """Examples that only pad a batch change neither the value nor a gradient."""
    padded = subject.rows(np.append(np.arange(subject.size), [0, 1]))
    valid = np.float32(np.arange(subject.size + 2) < subject.size)
    value, gradients = subject.differentiate(padded, valid=tf.constant(valid))
    expected, by = subject.differentiate(subject.tensors)
    remedy = _ALONE if isinstance(subject.plain, Term) else "weigh each example by `counted` and divide by its sum"
    require_close(value, expected, "the value of a padded batch", remedy)
    cut = {key: one[: subject.size] if is_of_batch(key) else one for key, one in gradients.items()}
    require_close_gradients(cut, by, subject, "of a padded batch", remedy)
    return ""


class _Gather:
    """Stands in for the gathering of replicas: of a tensor of one shard, the same tensor of all of them in a row.

    A statistic gathers its tensors in the same order on each replica, so that the number of a call says which it is.
    """

    def __init__(self, subject: Subject, parts: Sequence[Tensors]):
        self._calls = 0
        self._gathered: list[list[Any]] = []
        for part in parts:
            self._gathered.append([])
            subject.value(part, gather=self._note)

    def _note(self, shard: Any) -> Any:
        self._gathered[-1].append(shard)
        return shard

    def __call__(self, shard: Any) -> Any:
        whole = tf.concat([calls[self._calls] for calls in self._gathered], axis=0)
        self._calls += 1
        return whole


def _merged_gradients(subject: Subject) -> dict[str, np.ndarray]:
    """Returns the gradients that replicas arrive at: of the sum of a shard over the count of the whole batch."""
    count = float(subject.mean(subject.tensors).count)
    merged: dict[str, list[np.ndarray]] = {key: [] for key in subject.by}
    for part in _SHARDS:
        tensors = subject.rows(part)
        share = float(subject.mean(tensors).count) / count
        _, gradients = subject.differentiate(tensors)
        for key, gradient in gradients.items():
            merged[key].append(share * gradient)
    return {key: np.concatenate(parts) if is_of_batch(key) else np.sum(parts, axis=0) for key, parts in merged.items()}


CHECKS = (
    Check("order of examples", order_of_examples, OF_BATCHES, by_shapes=True),
    Check("shards", shards, (Term,), needs=("order of examples",), by_shapes=True),
    Check("repeated batch", repeated_batch, (Term,), needs=("order of examples",)),
    Check("gathering", gathering, (BatchStatistic,)),
    Check("padding", padding, OF_BATCHES, needs=INDEPENDENCE),
)
