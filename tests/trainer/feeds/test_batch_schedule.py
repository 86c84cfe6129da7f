"""The plan: which examples each step takes, for training and for evaluation."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer import ArraySource
from trainer.devices.strategy import mirrored
from trainer.feeds.batch_schedule import BatchSchedule
from trainer.feeds.batch_sharding import BatchSharding, examples

STRATEGIES = {count: mirrored([f"CPU:{i}" for i in range(count)]) for count in (1, 2, 3)}

sizes = st.integers(1, 40)
counts = st.sampled_from(sorted(STRATEGIES))


@settings(max_examples=25, deadline=None)
@given(size=sizes, batch_size=sizes, count=counts, limit=st.integers(1, 5))
def test_one_round_holds_each_example_once_and_padding_otherwise(size, batch_size, count, limit):
    schedule = BatchSchedule.once(BatchSharding(strategy=STRATEGIES[count], batch_size=batch_size), size)
    assert schedule.steps == -(-size // batch_size)
    spans = list(schedule.spans(limit))
    assert all(1 <= steps <= limit for _, steps in spans)
    found = np.concatenate([schedule.indices(first_batch=first, steps=steps) for first, steps in spans])
    assert found.dtype == np.int32
    assert found.shape == (schedule.steps, *schedule.sharding.shape)
    assert found[found >= 0].tolist() == list(range(size))
    assert schedule.padded == bool((found < 0).any())
    for batch in found:  # what stands in for missing examples is of the same batch
        assert set(examples(batch).ravel()) == set(batch[batch >= 0])


@settings(max_examples=25, deadline=None)
@given(size=sizes, batch_size=sizes, count=counts)
def test_the_shares_of_an_order_are_the_order(size, batch_size, count):
    source = ArraySource(np.arange(size))

    def order(*, first_batch, steps):
        return source.indices(first_batch=first_batch, steps=steps, batch_size=batch_size, seed=5)

    sharding = BatchSharding(strategy=STRATEGIES[count], batch_size=batch_size)
    found = BatchSchedule(sharding=sharding, order=order, padded=sharding.padded).indices(first_batch=3, steps=2)
    for step, batch in zip(found, order(first_batch=3, steps=2), strict=True):
        assert step[step >= 0].tolist() == batch.tolist()


def test_a_plan_without_an_end_has_all_steps_that_are_asked_for():
    sharding = BatchSharding(strategy=STRATEGIES[1], batch_size=3)
    assert BatchSchedule(sharding=sharding, order=np.empty, padded=False).within(10**9, 7) == 7
    once = BatchSchedule.once(sharding, 10)
    assert [once.within(first, 3) for first in (0, 2, 3, 4, 9)] == [3, 2, 1, 0, 0]


def test_further_steps_hold_padding_alone(replicas):
    sharding = BatchSharding(strategy=replicas(2), batch_size=4)
    schedule = BatchSchedule.once(sharding, 6, steps=4)
    indices = schedule.indices(first_batch=0, steps=4)
    assert (schedule.steps, schedule.padded) == (4, True)
    assert indices[indices >= 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert examples(indices).max() < 6
