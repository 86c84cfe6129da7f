"""The resident feed: arrays go to each device once, and only indices travel."""

import numpy as np
import tensorflow as tf


def test_arrays_become_tensors_once_a_device_and_not_again(make_program, data, monkeypatch, replicas, plain_source):
    seen = []
    convert = tf.convert_to_tensor
    monkeypatch.setattr(tf, "convert_to_tensor", lambda value, *a, **k: seen.append(value) or convert(value, *a, **k))
    program = make_program(strategy=replicas(2))
    for first in (0, 5, 10):
        program.train(first_step=first, steps=5)
    program.term_gradients(15)
    program.dry_run(15)
    arrays = list(plain_source.arrays.values())
    assert [sum(value is array for value in seen) for array in arrays] == [1, 1]
    resident = tf.nest.flatten(program._feed.resident)
    assert [len(value.values) for value in resident] == [2, 2]
    assert {v.device[-5:] for value in resident for v in value.values} == {"CPU:0", "CPU:1"}


def test_what_travels_is_indices(make_program):
    feed = make_program()._feed
    (spec,) = tf.nest.flatten(feed.signature, expand_composites=True)
    assert (spec.shape, spec.dtype) == ((feed.limit, 7), tf.int32)
    assert feed.describe(0) == "data resident, 0.0 MB"


def test_padding_is_marked_and_gathers_the_example_that_stands_there(make_program, replicas):
    feed = make_program(strategy=replicas(2))._feed
    batch = feed.batch({"inputs": tf.constant([5.0, 6.0])}, tf.constant([1, ~1, 0]))
    np.testing.assert_array_equal(batch["inputs"], [6, 6, 5])
    np.testing.assert_array_equal(batch["valid"], [1, 0, 1])
