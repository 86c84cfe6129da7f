"""Examination: computes one step again to find what is not finite, and which examples of its batch cause it."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from objectives import Term
from trainer.executions.chunk import as_numbers, trace_inspection
from trainer.feeds.batch_schedule import BatchSchedule
from trainer.feeds.batch_sharding import BatchSharding
from trainer.feeds.mixed_feed import MixedFeed, of_parts
from trainer.feeds.resident import ResidentFeed
from trainer.steps.train_step import TrainStep

# How often a batch is evaluated again to find the examples at fault: enough for five among a thousand.
_MOST_LOOKS = 100


@dataclasses.dataclass(frozen=True)
class Examples:
    """Rows of a batch.

    Attributes:
      rows: their numbers, from 0 on.
      of: how many examples the batch has.
      others: whether there may be more of them.
      numbers: those that the rows have in the user's data, from 0 on; none where that is not known.
    """

    rows: tuple[int, ...]
    of: int
    others: bool = False
    numbers: tuple[int, ...] = ()


class Examination(dict[str, float]):
    """The values of a step by tag; for terms at fault, the examples that cause it; and what is out of range."""

    def __init__(self, values: Mapping[str, float], examples: Mapping[str, Examples], out_of_range: Sequence[str] = ()):
        super().__init__(values)
        self.examples, self.out_of_range = dict(examples), tuple(out_of_range)

    def numbered(self, numbers: Sequence[int] | np.ndarray | None) -> "Examination":
        """Returns it with the numbers that examples have in the user's data, given those of the batch, if any."""
        if numbers is None:
            return self
        examples = {
            name: dataclasses.replace(one, numbers=tuple(int(numbers[row]) for row in one.rows))
            for name, one in self.examples.items()
        }
        return Examination(self, examples, self.out_of_range)


def inspect_batch(
    step: TrainStep,
    batch: Mapping[str, Any],
    number: int,
    *,
    strategy: tf.distribute.Strategy,
    finish: Callable[[ConcreteFunction], Callable[..., Any]],
    parts: Sequence[str] = (),
) -> Examination:
    """Returns what is not finite in a step, as `trainer.steps.inspection` counts it, and which examples cause it.

    A batch is made of some of its examples by repeating them: what is merely masked would still meet the gradient.

    Args:
      step: which has the state that the update met; it is left as it was.
      batch: of all replicas, without padding.
      number: the number of updates done.
      strategy: over which the step runs.
      finish: compiles the function if the run's step is compiled, which may round otherwise.
      parts: those of a mixed batch, of which no single examples are looked for: they have no number in common.
    """
    size = len(tf.nest.flatten(dict(batch))[0])
    rows = np.arange(size)
    feed = _mixed_feed(strategy, batch, parts) if parts else _feed(strategy, batch, rows)
    inspection = finish(trace_inspection(step, feed))

    def look(chosen: Sequence[int]) -> dict[str, float]:
        rows[:] = np.resize(chosen, size)
        with step.state.kept():
            counts = inspection(feed.peek(0).data, tf.constant(0), tf.constant(number, tf.int64))
        return {tag: count for tag, count in as_numbers(counts).items() if count}

    found = look(range(size))
    if parts:
        return Examination(found, {})
    alone = [name for name, term in step.forward.objective.terms.items() if isinstance(term, Term)]
    return Examination(found, search(lambda chosen: at_fault(look(chosen)), at_fault(found).intersection(alone), size))


def _feed(strategy: tf.distribute.Strategy, batch: Mapping[str, Any], rows: np.ndarray) -> ResidentFeed:
    """Returns the feed of one batch, of the rows that the array holds whenever it is read."""
    sharding = BatchSharding(strategy=strategy, batch_size=len(rows))
    schedule = BatchSchedule(
        sharding=sharding, order=lambda *, first_batch, steps: rows[None], padded=sharding.padded, steps=1
    )
    return ResidentFeed(schedule, batch)


def _mixed_feed(strategy: tf.distribute.Strategy, batch: Mapping[str, Any], parts: Sequence[str]) -> MixedFeed:
    """Returns the feed of one mixed batch."""
    batches = of_parts(batch, parts)
    counts = {part: len(tf.nest.flatten(found)[0]) for part, found in batches.items()}
    feeds = {part: _feed(strategy, batches[part], np.arange(counts[part])) for part in parts}
    return MixedFeed(BatchSharding(strategy=strategy, batch_size=sum(counts.values())), feeds)


def at_fault(counts: Iterable[str]) -> set[str]:
    """Returns the names of the terms whose value or gradient is not finite, given the tags that are not."""
    wanted = {"raw", "weighted", "slope", "gradient", "weighted_gradient"}
    parts = (tag.split("/", 3) for tag in counts if tag.startswith("terms/"))
    return {part[1] for part in parts if part[2] == "not_finite" and part[3] in wanted}


def search(look: Callable[[Sequence[int]], set[str]], names: set[str], size: int) -> dict[str, Examples]:
    """Returns single rows of a batch that are enough for each of `names` to be at fault, by bisection.

    Args:
      look: the names at fault in a batch of these rows alone.
      names: those at fault in the whole batch.
      size: how many rows it has.

    Returns:
      By name; those that no single row is enough for are left out.

    >>> search(lambda rows: {"a"} if {2, 5} & set(rows) else set(), {"a"}, 8)
    {'a': Examples(rows=(2, 5), of=8, others=False, numbers=())}
    """
    rows: dict[str, list[int]] = {}
    others: set[str] = set()
    waiting: list[tuple[range, set[str]]] = [(range(size), names)] if names else []
    looks = 0
    while waiting:
        part, at = waiting.pop()
        if len(part) == 1:
            for name in at:
                rows.setdefault(name, []).append(part[0])
        elif looks >= _MOST_LOOKS:
            others |= at
        else:
            looks += 2
            middle = len(part) // 2
            halves = [(half, look(half) & at) for half in (part[middle:], part[:middle])]
            waiting += [(half, found) for half, found in halves if found]
    return {name: Examples(tuple(found), size, name in others) for name, found in rows.items()}
