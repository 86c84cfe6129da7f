"""WeightPenalty: it knows no examples, and counts once."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Context, Key, WeightPenalty


@dataclasses.dataclass(frozen=True, kw_only=True)
class Small(WeightPenalty):
    kernel: Key = "weights.head/kernel"

    def values(self, kernel):
        return tf.reduce_sum(kernel**2)


def test_neither_padding_nor_a_batch_changes_it():
    context = Context(weights={"head/kernel": tf.constant([3.0, 4.0])}, valid=tf.zeros([3]))
    total, count = Small().mean(context)
    assert (float(total), float(count)) == (25, 1)


def test_numbers_are_averaged():
    class Squares(Small):
        def values(self, kernel):
            return kernel**2

    assert float(Squares()(kernel=np.array([3.0, 4.0], np.float32))) == 12.5


@pytest.mark.parametrize("field", ["mask", "sample_weight", "average"])
def test_it_has_nothing_that_is_said_of_examples(field):
    with pytest.raises(ConfigurationError, match=f"Small has no '{field}'"):
        Small(**{field: "targets"})
