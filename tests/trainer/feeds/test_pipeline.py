"""Pipelines: which datasets are drawn from, whose iterators stay, and what lies below a cache."""

import pytest
import tensorflow as tf

from trainer.feeds.pipeline import function_nodes, graph_nodes, uses

Dataset = tf.data.Dataset


@pytest.fixture
def numbers():
    return Dataset.range(9)


def test_all_that_is_drawn_from_is_found_as_often_as_it_is(numbers):
    kinds = [use.kind for use in uses(Dataset.zip(numbers.take(2), numbers))]
    assert kinds == ["_ZipDataset", "_TakeDataset", "_RangeDataset", "_RangeDataset"]


@pytest.mark.parametrize(
    ("make", "kept", "cached", "complete"),
    [
        (lambda numbers: numbers.map(tf.abs).prefetch(1), True, False, True),
        (lambda numbers: numbers.repeat().batch(2), True, False, True),
        (lambda numbers: numbers.repeat(2), False, False, True),
        (lambda numbers: numbers.batch(2), False, False, True),
        (lambda numbers: numbers.take(2).map(tf.abs), False, False, False),
        (lambda numbers: numbers.take(2).cache().batch(2), False, True, True),
        (lambda numbers: numbers.cache().take(2), False, True, False),
    ],
)
def test_it_is_known_of_the_innermost_what_becomes_of_it(numbers, make, kept, cached, complete):
    *_, innermost = uses(make(numbers))
    assert innermost.kind == "_RangeDataset"
    assert (innermost.kept, innermost.cached, innermost.complete) == (kept, cached, complete)


def test_the_operations_of_a_dataset_and_of_its_functions_are_distinguished(numbers):
    dataset = numbers.map(lambda i: tf.sin(tf.cast(i, tf.float32)))
    assert "Sin" in {node.op for node in function_nodes(dataset)}
    assert "RangeDataset" in {node.op for node in graph_nodes(dataset)}
