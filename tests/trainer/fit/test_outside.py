"""Outside: what an evaluation has out of range is kept until it is told or forgotten, if its terms are not finite."""

import pytest
import tensorflow as tf

from objectives import ConfigurationError
from objectives.ranges import safe_labels
from objectives.readings import recording
from trainer.fit.outside import Outside


@pytest.fixture
def readings():
    with recording() as found:
        for labels in ([0, 1], [2, 9, 0], [-1, 5, 7]):
            safe_labels("y", tf.constant(labels), classes=3)
    return found


def test_the_first_reading_at_fault_is_told_by_its_largest_value(readings):
    outside = Outside(tf.distribute.get_strategy())
    outside.note(readings, sound=tf.constant(True))
    outside.raise_any()
    for _ in range(2):
        outside.note(readings, sound=tf.constant(False))
    with pytest.raises(ConfigurationError, match="the evaluated examples: the labels 'y': found 9; expected whole"):
        outside.raise_any()
    outside.forget()
    outside.raise_any()
