"""Fingerprints: other examples have another one, at any size."""

import numpy as np
import pytest
import tensorflow as tf

from trainer import ArraySource, DatasetSource
from trainer.feeds import fingerprint


@pytest.fixture
def x():
    return np.arange(40, dtype=np.float32).reshape(20, 2)


def changed(array, place):
    other = array.copy()
    other[place] += 1
    return other


def test_the_same_arrays_have_the_same(x):
    facts = ArraySource(x, {"y": x[:, :1]}).facts(seed=0)
    assert facts == ArraySource(x.copy(), {"y": x[:, :1]}).facts(seed=0)
    assert facts["examples"] == "20"
    assert facts["targets.y"].startswith("float32 [20, 1], digest ")


def test_other_arrays_are_compared_by_size_type_and_content(x):
    facts = fingerprint.of_arrays({"inputs": x})
    for other in (x[:-1], x.astype(np.float64), changed(x, (13, 1))):
        assert fingerprint.of_arrays({"inputs": other}) != facts


def test_large_arrays_are_compared_by_their_length_and_some_rows(x, monkeypatch):
    monkeypatch.setattr(fingerprint, "_BYTES", 10)
    monkeypatch.setattr(fingerprint, "_ROWS", 2)
    facts = fingerprint.of_arrays({"inputs": x})
    for other in (x[:-1], changed(x, 0), changed(x, -1)):
        assert fingerprint.of_arrays({"inputs": other}) != facts
    assert fingerprint.of_arrays({"inputs": changed(x, 7)}) == facts


def dataset(x):
    return DatasetSource(lambda: tf.data.Dataset.from_tensor_slices(x))


def test_datasets_are_compared_by_their_first_examples_and_for_evaluation_by_their_number(x):
    assert dataset(x).facts(seed=0) == dataset(x).facts(seed=0)
    assert dataset(changed(x, 3)).facts(seed=0) != dataset(x).facts(seed=0)
    assert dataset(x).facts(seed=None)["examples"] == "20"


def test_examples_of_an_unknown_number_are_counted(x):
    source = DatasetSource(lambda: tf.data.Dataset.from_tensor_slices(x).filter(lambda row: row[0] < 30))
    assert source.facts(seed=None)["examples"] == "15"


def test_the_order_of_training_belongs_to_it(x):
    shuffled = DatasetSource(lambda seed: tf.data.Dataset.from_tensor_slices(x).shuffle(20, seed=seed))
    assert shuffled.facts(seed=1) == shuffled.facts(seed=1)
    assert shuffled.facts(seed=1) != shuffled.facts(seed=2)
