"""Generators of seeds: read and set without a change of what the dataset gives."""

import pytest
import tensorflow as tf

from trainer.feeds.generators import Generator

Dataset = tf.data.Dataset

DATASETS = {
    "shuffled": lambda: Dataset.range(20).shuffle(20, seed=1),
    "random": lambda: Dataset.random(seed=1, rerandomize_each_iteration=True),
}


@pytest.mark.parametrize("kind", DATASETS)
def test_each_iteration_draws_and_any_can_be_had_again(kind):
    dataset, plain = DATASETS[kind](), DATASETS[kind]()
    expected = [list(plain.take(4).as_numpy_iterator()) for _ in range(3)]
    assert expected[0] != expected[1]
    generator = Generator(dataset)  # which draws nothing itself
    drawn, found = [], []
    for _ in range(3):
        drawn.append(generator.drawn)
        found.append(list(dataset.take(4).as_numpy_iterator()))
    assert found == expected
    for index in (2, 0, 1):
        generator.drawn = drawn[index]
        assert list(dataset.take(4).as_numpy_iterator()) == expected[index]


def test_a_buffer_that_holds_much_is_set_like_any_other():
    dataset = Dataset.range(9).shuffle(5000, seed=1)
    first = list(dataset.as_numpy_iterator())
    Generator(dataset)  # a generator begins with the first draw
    assert list(dataset.as_numpy_iterator()) == first
