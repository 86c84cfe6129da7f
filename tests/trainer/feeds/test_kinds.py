"""Kinds of data: what is no real number is refused by the name of the array, in every source."""

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer import ArraySource, DatasetSource
from trainer.feeds.kinds import require_real


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float64, ml_dtypes.bfloat16, np.uint8, np.int64, np.uint64, bool, ">f4", tf.bfloat16]
)
def test_real_numbers_and_truth_values_are_accepted(dtype):
    require_real("x", dtype if isinstance(dtype, tf.DType) else np.dtype(dtype))


REFUSED = {
    "complex": (np.zeros(3, np.complex64), "complex64; expected real numbers: both parts"),
    "text": (np.array(["a", "b", "c"]), "expected numbers: text is turned into them"),
    "bytes": (np.array([b"a", b"b", b"c"]), "expected numbers: text is turned into them"),
    "objects": (np.array([[1], [1, 2], None], object), "object; expected numbers: arrays of one shape"),
    "times": (np.zeros(3, "datetime64[s]"), r"datetime64\[s\]; expected numbers: a time"),
    "durations": (np.zeros(3, "timedelta64[s]"), r"timedelta64\[s\]; expected numbers: a time"),
    "records": (np.zeros(3, [("a", "f4")]), "expected numbers"),
}


@pytest.mark.parametrize(("array", "answer"), REFUSED.values(), ids=REFUSED.keys())
def test_an_array_of_anything_else_is_refused_by_its_name(array, answer):
    with pytest.raises(ConfigurationError, match=f"^ArraySource: targets.y is of the type .*{answer}"):
        ArraySource({"x": np.zeros(3)}, {"y": array})


def test_all_such_arrays_are_named_at_once():
    with pytest.raises(ConfigurationError) as error:
        ArraySource(np.zeros(3, complex), np.array(["a", "b", "c"]))
    assert len(error.value.messages) == 2


@pytest.mark.parametrize("value", [tf.constant(1j), tf.constant("a")])
def test_a_dataset_of_anything_else_is_refused_by_its_name(value):
    source = DatasetSource(lambda: tf.data.Dataset.from_tensors((tf.zeros([2]), {"y": value})))
    with pytest.raises(
        ConfigurationError, match="DatasetSource: targets.y is of the type (complex128|string); expected"
    ):
        _ = source.names
