"""What replicas of one process add up: all small tensors of a type cross from device to device at once."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.devices.one_vector import MOST_BYTES
from trainer.executions.chunk import trace_step
from trainer.steps.replicas import sum_over_replicas


@pytest.fixture
def summed(replicas, crossings):
    """Sums over replicas what each of them makes of its number; the sums on each, and how often each way is crossed."""

    def run(make, count):
        strategy = replicas(count)

        def on_replica():
            return sum_over_replicas(make(tf.distribute.get_replica_context().replica_id_in_sync_group))

        traced = tf.function(lambda: strategy.run(on_replica), autograph=False).get_concrete_function()
        sums = [tf.nest.map_structure(np.asarray, one) for one in strategy.experimental_local_results(traced())]
        return sums, crossings(traced)

    return run


@pytest.mark.parametrize("count", [2, 3])
def test_small_tensors_of_a_type_are_sent_as_one(summed, count):
    def make(i):
        of_each = tf.cast(i + 1, tf.float32)
        whole = tf.cast(i, tf.int64) * tf.ones([5], tf.int64)
        return [of_each, of_each * tf.ones([3, 2]), of_each * tf.ones([0]), whole]

    sums, crossed = summed(make, count)
    floats, ints = sum(range(1, count + 1)), sum(range(count))
    for number, matrix, empty, whole in sums:
        assert number == floats
        np.testing.assert_array_equal(matrix, np.full([3, 2], floats))
        assert empty.shape == (0,)
        np.testing.assert_array_equal(whole, np.full([5], ints))
    others = [str(i) for i in range(1, count)]
    assert crossed == {**{(i, "0"): 2 for i in others}, **{("0", i): 2 for i in others}}


def test_a_large_tensor_and_one_of_unknown_size_are_sent_by_themselves(summed):
    size = MOST_BYTES // 4

    def make(i):
        of_each = tf.cast(i + 1, tf.float32)
        unknown = tf.boolean_mask(of_each * tf.ones([3]), [True, False, True])
        return of_each * tf.ones([size]), of_each * tf.ones([size + 1]), of_each * tf.ones([2, 2]), unknown

    sums, crossed = summed(make, 2)
    for found in sums:
        for tensor, shape in zip(found, [(size,), (size + 1,), (2, 2), (2,)], strict=True):
            np.testing.assert_array_equal(tensor, np.full(shape, 3.0))
    assert crossed == {("1", "0"): 3, ("0", "1"): 3}


def test_all_replicas_have_the_bits_of_the_sum_in_order_of_replicas(summed):
    numbers = np.random.default_rng(0).normal(size=[2, 40]).astype(np.float32)
    sums, _ = summed(lambda i: [tf.constant(numbers)[i], tf.constant(numbers)[i, :7]], 2)
    for whole, part in sums:
        np.testing.assert_array_equal(whole, numbers[0] + numbers[1])
        np.testing.assert_array_equal(part, whole[:7])


def test_what_a_step_adds_up_crosses_twice_however_many_variables_there_are(make_program, replicas, crossings):
    program = make_program(strategy=replicas(2))
    with program.step.adoption.at_work():
        crossed = crossings(trace_step(program.step, program.data.train_feed))
    assert len(program.step.trained) > 2
    assert crossed["1", "0"] == 2  # the counts, and then the gradients with the totals


def test_a_mean_over_replicas_is_one(replicas):
    strategy = replicas(2)

    def on_replica():
        context = tf.distribute.get_replica_context()
        return context.all_reduce("MEAN", tf.cast(context.replica_id_in_sync_group, tf.float32))

    means = tf.function(lambda: strategy.run(on_replica), autograph=False)()
    assert [float(mean) for mean in strategy.experimental_local_results(means)] == [0.5, 0.5]
