"""Sources: every example once an epoch, and a batch that depends on the seed and the step alone."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from objectives import ConfigurationError
from trainer import ArraySource

sizes = st.integers(1, 50)
seeds = st.integers(0, 2**31)


def source(size, **settings):
    return ArraySource(np.arange(size), **settings)


@given(size=sizes, batch_size=sizes, epochs=st.integers(1, 3), seed=seeds)
def test_every_example_comes_once_an_epoch(size, batch_size, epochs, seed):
    steps = -(-size * epochs // batch_size)
    stream = source(size).indices(first_batch=0, steps=steps, batch_size=batch_size, seed=seed).ravel()
    for epoch in range(epochs):
        assert np.sort(stream[epoch * size : (epoch + 1) * size]).tolist() == list(range(size))


@given(size=sizes, batch_size=sizes, cuts=st.lists(st.integers(0, 20), max_size=4), seed=seeds)
def test_a_batch_is_a_function_of_the_seed_and_the_step(size, batch_size, cuts, seed):
    stops = [0, *sorted(cuts), 20]
    whole = source(size).indices(first_batch=0, steps=20, batch_size=batch_size, seed=seed)
    for first, stop in itertools.pairwise(stops):
        # A new source each time: nothing is remembered of the steps before.
        part = source(size).indices(first_batch=first, steps=stop - first, batch_size=batch_size, seed=seed)
        assert part.tolist() == whole[first:stop].tolist()


def test_epochs_and_seeds_differ():
    stream = source(50).indices(first_batch=0, steps=2, batch_size=50, seed=0)
    assert stream[0].tolist() != stream[1].tolist()
    assert stream[0].tolist() != source(50).indices(first_batch=0, steps=1, batch_size=50, seed=1)[0].tolist()


def test_far_steps_need_no_replay():
    far = source(10).indices(first_batch=10**9, steps=1, batch_size=10, seed=0)
    assert sorted(far[0].tolist()) == list(range(10))


def test_without_shuffling_examples_come_in_order():
    assert source(3, shuffle=False).indices(first_batch=1, steps=2, batch_size=2, seed=0).tolist() == [[2, 0], [1, 2]]


def test_only_what_was_given_is_there_and_doubles_become_single():
    source = ArraySource({"a": np.array([1.0, 2.0]), "b": np.array([1, 2], np.int64)})
    assert source.names == tuple(source.arrays) == ("inputs",)
    assert source.arrays["inputs"]["a"].dtype == np.float32
    assert source.arrays["inputs"]["b"].dtype == np.int64


def test_large_arrays_are_streamed_unless_one_says_otherwise():
    # Nothing is taken from the system for zeros that nobody reads.
    largest, larger = np.zeros(2**28, np.float32), np.zeros(2**28 + 1, np.float32)
    assert ArraySource(largest).resident
    assert not ArraySource(larger).resident
    assert ArraySource(larger, resident=True).resident
    assert not ArraySource(np.zeros(3), resident=False).resident


def test_streamed_arrays_are_left_as_they_are():
    doubles = np.zeros([3, 2])
    assert ArraySource(doubles, resident=False).arrays["inputs"] is doubles


@pytest.mark.parametrize(
    ("arrays", "answer"),
    [
        ({"inputs": np.zeros([3, 2]), "targets": np.zeros(4)}, r"\(3, 2\).*\(4,\).*expected the same first axis"),
        ({"inputs": {"a": np.zeros(2), "b": np.zeros(3)}}, r"\(2,\).*\(3,\).*expected the same first axis"),
        ({"inputs": np.zeros(2), "sample_weight": np.zeros(3)}, "expected the same first axis"),
        ({"inputs": np.zeros(3), "targets": 1.0}, "expected the same first axis"),
        ({"inputs": 1.0}, "holds single numbers, .*; expected arrays"),
        ({"inputs": [[1.0, 2.0]]}, "holds single numbers, .*; expected arrays, as np.asarray"),
        ({"inputs": np.zeros([0, 3])}, "holds no examples"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays, answer):
    with pytest.raises(ConfigurationError, match=answer):
        ArraySource(**arrays)


@pytest.mark.parametrize("resident", [True, False])
def test_a_number_beyond_float32_is_refused_and_what_is_infinite_stays(resident):
    assert ArraySource(np.array([np.inf, 1]), resident=resident).table.all()["inputs"].tolist() == [np.inf, 1]
    with pytest.raises(ConfigurationError, match=r"ArraySource: inputs.a of example 1 \(from 0 on\) is 1e\+300"):
        ArraySource({"a": np.array([1, 1e300])}, resident=resident).table.all()


def test_arrays_have_the_names_of_their_classes():
    source = ArraySource(np.zeros([2, 1]), {"label": np.array([0, 1])}, class_names={"targets.label": ["cat", "dog"]})
    assert source.class_names == {"targets.label": ("cat", "dog")}
    assert ArraySource(np.zeros([2, 1])).class_names == {}
