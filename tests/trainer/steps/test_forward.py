"""The forward pass: what its numbers are called, and what they are, however often a shard computed them."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import Mean


@pytest.fixture
def forward(make_program, every_reading, dict_model, source):
    return make_program(objective=every_reading, model=dict_model(), train=source).step.forward


def test_each_number_has_a_name_and_the_weighted_terms_add_up(forward):
    means = Mean(tf.constant([6.0, 4.0, 3.0, 8.0, 9.0]), tf.constant([2.0, 8.0, 1.0, 4.0, 3.0]))
    weights = forward.objective.weights(tf.constant(2, tf.int64))
    row = dict(zip(forward.tags, forward.row(means, weights, shards=1).numpy().tolist(), strict=True))
    names = [*forward.objective.terms]
    assert [row[f"terms/{name}/raw"] for name in names] == [3.0, 0.5, 3.0, 2.0, 3.0]
    assert row["loss/total"] == pytest.approx(sum(row[f"terms/{name}/weighted"] for name in names))
    assert row["terms/watched/weighted"] == 0


def test_what_each_shard_computes_whole_counts_once(forward):
    means = Mean(tf.fill([5], 8.0), tf.fill([5], 4.0))
    row = dict(zip(forward.tags, forward.row(means, tf.ones([5]), shards=4).numpy(), strict=True))
    counts = {name: row[f"terms/{name}/count"] for name in forward.objective.terms}
    assert counts == {"decay": 1, "masked": 4, "scheduled": 4, "watched": 4, "weighted": 4}
    assert np.all([row[f"terms/{name}/raw"] == 2 for name in counts])
