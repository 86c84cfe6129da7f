"""Resumable datasets: whose place is saved, and why that of others is not."""

import pytest
import tensorflow as tf

from trainer.feeds.resumable import reshuffled, same_each_time, why_unsaved

Dataset = tf.data.Dataset


def csv(name):
    return tf.data.experimental.CsvDataset(name, [tf.float32], header=True)


def inner_csv(i):
    return Dataset.range(i).flat_map(lambda j: csv("a.csv"))


@pytest.fixture
def shuffled():
    return Dataset.range(9).shuffle(9)


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (lambda inner: Dataset.range(3).flat_map(lambda i: inner), "a function of FlatMapDataset draws from a dataset"),
        (lambda inner: inner.cache().take(3), "it shuffles what goes into a cache that may not be read to its end"),
        (lambda inner: Dataset.zip(inner.cache(), inner), "it shuffles what goes into a cache"),
        (lambda inner: Dataset.choose_from_datasets([inner, inner], inner), "hides its inputs: .*ShuffleData"),
        (
            lambda inner: tf.data.experimental.from_variant(tf.data.experimental.to_variant(inner), inner.element_spec),
            "hides its inputs: .*ShuffleDataset",
        ),
        (lambda inner: Dataset.sample_from_datasets([inner, Dataset.range(3)]), "which of its datasets have ended"),
        (lambda inner: Dataset.range(3).flat_map(lambda i: Dataset.range(i).shuffle(2)), "is stateful"),
        (lambda inner: csv("a.csv").shuffle(3), "TensorFlow restores a CsvDataset at a wrong position"),
        (lambda inner: inner.interleave(lambda i: csv("a.csv")), "TensorFlow restores a CsvDataset"),
        (lambda inner: inner.flat_map(inner_csv), "TensorFlow restores a CsvDataset"),
        (lambda inner: inner.map(lambda i: tf.random.uniform([])), "RandomUniform is stateful"),
        (
            lambda inner: inner.rejection_resample(lambda i: tf.cast(i % 2, tf.int32), [0.3, 0.7], [0.5, 0.5], seed=1),
            "is stateful",
        ),
    ],
)
def test_what_cannot_be_saved_is_reported(shuffled, make, answer):
    assert tf.strings.regex_full_match(why_unsaved(make(shuffled)), f".*{answer}.*")


@pytest.mark.parametrize(
    ("make", "generators", "same"),
    [
        (lambda inner: inner, 0, False),
        (lambda inner: inner.map(tf.abs, num_parallel_calls=2).prefetch(1).map(tf.abs), 0, False),
        (lambda inner: inner.repeat().batch(2, drop_remainder=True), 0, False),
        (lambda inner: inner.repeat(2), 1, False),
        (lambda inner: inner.shuffle(3), 1, False),
        (lambda inner: inner.enumerate(), 1, False),
        (lambda inner: Dataset.zip(inner, inner), 1, False),
        (lambda inner: Dataset.zip(inner, Dataset.range(9).shuffle(9)), 2, False),
        (lambda inner: inner.cache().batch(2), 0, True),
        (lambda inner: Dataset.range(9).shuffle(9, reshuffle_each_iteration=False).take(3), 0, True),
    ],
)
def test_generators_that_may_be_without_an_iterator_are_found(shuffled, make, generators, same):
    dataset = make(shuffled)
    assert why_unsaved(dataset) is None
    assert len(reshuffled(dataset)) == generators
    assert same_each_time(dataset) == same
