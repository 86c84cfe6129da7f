"""Saved values: they are the same with the same bits, and what no checkpoint can hold is said."""

import keras
import numpy as np
import pytest

from trainer.callbacks.attributes import entries_of, save


@pytest.mark.parametrize(
    "value", [print, object(), [lambda: 0], np.array([None]), {"a": keras.losses.MeanSquaredError()}]
)
def test_what_cannot_be_saved_is_said(value):
    assert len(save(value).lost(None)) == 1
    assert save(value).lost(save(value)) == []


def test_what_may_change_unseen_is_never_the_same():
    value = (i for i in range(3))
    assert save(value).lost(save(value)) == ["generator"]


@pytest.mark.parametrize(("one", "other"), [(0.0, -0.0), ([1], (1,)), (np.zeros(2), np.zeros([2, 1])), (1, 2)])
def test_different_values_differ(one, other):
    assert save(one).is_same(save(one))
    if not isinstance(one, float):
        assert not save(one).is_same(save(other))


def test_a_copy_stays_what_it_was():
    array = np.zeros(2)
    saved = save([array])
    copy = saved.copied()
    array += 1.0
    assert (copy.arrays[0].tolist(), saved.arrays[0].tolist()) == ([0.0, 0.0], [1.0, 1.0])


def test_an_object_that_is_shared_is_known_by_where_it_was_found_first():
    callback = keras.callbacks.EarlyStopping()
    callback.history = callback.rows = [1]
    assert entries_of(callback)["rows"].shared() == {"history"}
    assert entries_of(callback)["history"].shared() == set()
