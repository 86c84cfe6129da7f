"""The order of examples: every one once an epoch, and the same however steps are asked for."""

import numpy as np

from termwise.benchmarks.order import Order
from termwise.benchmarks.workloads import WORKLOADS

TINY = WORKLOADS["tiny"]
EPOCH = TINY.examples // TINY.batch_size


def test_every_example_comes_once_an_epoch():
    batches = Order(TINY, shuffled=True).next(2 * EPOCH)
    assert batches.shape == (2 * EPOCH, TINY.batch_size)
    for epoch in np.split(batches, 2):
        assert sorted(epoch.flat) == [*range(TINY.examples)]
    assert not np.array_equal(*np.split(batches, 2))


def test_how_many_steps_are_asked_for_changes_nothing():
    order = Order(TINY, shuffled=True)
    parts = [order.next(steps) for steps in (1, EPOCH, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), Order(TINY, shuffled=True).next(EPOCH + 8))


def test_unshuffled_batches_are_in_order():
    batches = Order(TINY, shuffled=False).next(2)
    np.testing.assert_array_equal(batches.flat, range(2 * TINY.batch_size))
