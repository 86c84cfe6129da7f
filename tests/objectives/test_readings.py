"""Readings: what has a range is recorded by name where somebody asks, and told in a sentence."""

import tensorflow as tf

from objectives.ranges import safe_indices, safe_labels, safe_mask
from objectives.readings import describe, evaluating, recording


def test_a_recording_has_all_that_was_read_inside_and_says_who_read_it():
    with recording() as readings:
        with evaluating("the term 'cost'", {"y_true": "targets.x"}):
            safe_labels("y_true", tf.constant([[0, 5], [0, 0], [-2, 9]]), classes=3)
        safe_indices("the inputs of the layer 'tokens'", tf.constant([1]), 2, expected="0 or 1")
    safe_labels("y_true", tf.constant([7]), classes=3)
    first, second = (describe(reading, reading.values.numpy(), reading.outside.numpy()) for reading in readings)
    assert first == (
        "the labels 'targets.x' of the term 'cost': found -2, 5, 9 in rows 0, 2; "
        "expected whole numbers from 0 to 2 (3 classes), or a mask that hides them"
    )
    assert second is None


def test_many_are_counted_rather_than_listed():
    with recording() as readings:
        safe_mask("m", tf.range(2, 11))
    assert "found 2, 3, 4, 5, 6 and 4 more in rows 0, 1, 2, 3, 4 and 4 more" in describe(
        readings[0], readings[0].values.numpy(), readings[0].outside.numpy()
    )


def test_what_is_read_in_a_function_of_its_own_is_not_recorded():
    inner = tf.function(lambda labels: safe_labels("y_true", labels, classes=3)[0])
    with recording() as readings:
        inner(tf.constant([7]))
    assert readings == []
