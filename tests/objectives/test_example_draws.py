"""Draws of examples: of the right distribution, the same however a batch is cut and run, others in each step."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import kstest

from objectives.example_draws import flat, normal, uniform

EXAMPLES = tf.constant(np.random.default_rng(0).normal(size=[4000, 3]), tf.float32)


def test_numbers_of_examples_are_uniform_and_those_of_two_steps_are_independent():
    first, second = (uniform(EXAMPLES, step).numpy() for step in (1, 2))
    assert kstest(first, "uniform").pvalue > 0.01
    assert kstest((first + second) % 1, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05


@pytest.mark.slow
def test_numbers_of_steps_are_uniform_for_an_example_and_independent_of_those_of_its_neighbour():
    near = tf.constant([[0.0, 0.0], [0.0, 0.001]])
    first, second = (
        tf.map_fn(lambda step: uniform(near, step), tf.range(2000), fn_output_signature=tf.float32).numpy().T
    )
    assert kstest(first, "uniform").pvalue > 0.01
    assert kstest((second - first) % 1, "uniform").pvalue > 0.01


@pytest.mark.slow
def test_normal_numbers_are_normal_in_all_directions():
    same = tf.constant([[1.0, 2.0], [2.0, 1.0]])
    drawn = tf.map_fn(lambda step: normal(same, step), tf.range(2000), fn_output_signature=tf.float32).numpy()
    for numbers in (drawn[:, 0, 0], drawn[:, 1, 1], drawn[:, 0] @ [0.6, 0.8], drawn[:, 1] @ [0.8, -0.6]):
        assert kstest(numbers, "norm").pvalue > 0.01
    np.testing.assert_allclose(np.mean(drawn[:, 0] * drawn[:, 1], axis=0), 0, atol=0.1)


@pytest.mark.parametrize("draw", [uniform, normal])
def test_draws_are_the_same_however_a_batch_is_cut(draw):
    whole = draw(EXAMPLES, 3).numpy()
    parts = np.concatenate([draw(EXAMPLES[:1500], 3), draw(EXAMPLES[1500:], 3)])
    np.testing.assert_allclose(parts, whole, rtol=0, atol=0 if draw is uniform else 1e-6)
    assert len(np.unique(whole[:, 0] if whole.ndim > 1 else whole)) > 3900
    assert draw(EXAMPLES[:0], 3).shape[0] == 0


@pytest.mark.parametrize("draw", [uniform, normal])
def test_seeds_and_steps_give_other_draws(draw):
    drawn = [draw(EXAMPLES, step, seed).numpy() for step, seed in ((0, 0), (1, 0), (0, 1), (2**40, 0))]
    for i, one in enumerate(drawn):
        assert all(np.mean(one == other) < 0.01 for other in drawn[:i])


@pytest.mark.parametrize("step_type", [tf.int32, tf.int64])
def test_every_execution_draws_the_same_bits(compile_as, step_type):
    step = tf.constant(5, step_type)
    np.testing.assert_array_equal(compile_as(uniform)(EXAMPLES, step), uniform(EXAMPLES, 5))
    np.testing.assert_allclose(compile_as(normal)(EXAMPLES, step), normal(EXAMPLES, 5), atol=1e-5)


def test_all_tensors_of_an_example_count():
    example = {"a": tf.ones([2, 2, 2]), "b": tf.constant([1, 2])}
    assert flat(example).shape == [2, 5]
    first, second = uniform(example, 0).numpy()
    assert first != second
