"""Attributes: what goes into a checkpoint comes back with the same types and the same bits."""

import collections
import json
import math
import pathlib
from typing import NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.callbacks.attributes import save
from trainer.callbacks.restored import Reader
from trainer.callbacks.saved_values import Saved


class Best(NamedTuple):
    """A tuple whose parts have names."""

    epoch: int
    values: list[float]


def again(value, current=None):
    """A value after it was written as JSON and arrays."""
    saved = save(value)
    return Reader().value(Saved(json.loads(json.dumps(saved.tree, allow_nan=False)), saved.arrays), "value", current)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        2**70,
        0.1,
        -math.inf,
        "text",
        [1, [2.5, None]],
        (1, "a"),
        {"a": 1, 2: (3.0,)},
        {1, 2},
        frozenset({"b"}),
        {"array": 0},
        collections.deque([1, 2], maxlen=3),
        collections.Counter(a=2),
        collections.OrderedDict(b=1, a=2),
        collections.defaultdict(list, a=[1]),
        bytearray(b"ab"),
        b"\x00\xff",
        1 + 2j,
        pathlib.Path("plots/a.png"),
        dict,
        Best(3, [0.5]),
    ],
)
def test_a_value_comes_back_as_it_was(value):
    found = again(value)
    assert found == value
    assert type(found) is type(value)
    assert getattr(found, "maxlen", None) == getattr(value, "maxlen", None)


def test_nan_comes_back():
    assert math.isnan(again({"worst": [math.nan]})["worst"][0])


@pytest.mark.parametrize("value", [np.float32(0.1), np.int64(3), np.array([[1.5, np.nan]], np.float16), np.array(2)])
def test_numbers_of_numpy_keep_their_type_and_bits(value):
    found = again([value])[0]
    assert type(found) is type(value)
    assert (found.dtype, found.shape, found.tobytes()) == (value.dtype, value.shape, value.tobytes())


def test_a_tensor_comes_back_as_one():
    found = again(tf.constant([1.0, 2.0]))
    assert tf.is_tensor(found)
    assert found.numpy().tolist() == [1.0, 2.0]


def test_a_variable_that_is_there_takes_the_value_and_another_one_is_made():
    there, saved = keras.Variable([0.0]), keras.Variable([3.0])
    assert again([saved], [there])[0] is there
    assert there.numpy().tolist() == [3.0]
    assert again(saved).numpy().tolist() == [3.0]


def test_a_variable_of_the_run_is_saved_with_the_run():
    variable = keras.Variable([0.0])
    saved = save([variable], {id(variable)})
    assert saved.arrays == []
    assert Reader({id(variable)}).value(saved, "value", [variable])[0] is variable
