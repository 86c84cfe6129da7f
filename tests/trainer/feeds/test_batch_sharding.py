"""BatchSharding: the shards of a batch are the batch, of one size, each on the device of its replica."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.devices.strategy import mirrored
from trainer.feeds.batch_sharding import BatchSharding, examples

STRATEGIES = {count: mirrored([f"CPU:{i}" for i in range(count)]) for count in (1, 2, 3)}

sizes = st.integers(1, 40)
counts = st.sampled_from(sorted(STRATEGIES))


@settings(max_examples=25, deadline=None)
@given(batch_size=sizes, count=counts, parts=st.integers(1, 4))
def test_a_batch_is_split_into_equal_parts_with_the_least_padding(batch_size, count, parts):
    sharding = BatchSharding(strategy=STRATEGIES[count], batch_size=batch_size, micro_batches=parts)
    (split,) = sharding.split(np.arange(batch_size)[None])
    assert split.shape == sharding.shape
    assert split.shape[0] == count
    assert split.shape[1] % parts == 0
    assert split.ravel()[:batch_size].tolist() == list(range(batch_size))
    assert (split.ravel()[batch_size:] < 0).all()
    assert set(examples(split).ravel()) == set(range(batch_size))
    assert split.size - batch_size < count * parts
    assert sharding.padded == (split.size > batch_size)


@settings(max_examples=25, deadline=None)
@given(batch_size=sizes, missing=st.integers(0, 5), count=counts)
def test_tensors_are_cut_as_indices_are_split(batch_size, missing, count):
    sharding = BatchSharding(strategy=STRATEGIES[count], batch_size=batch_size)
    real = max(1, batch_size - missing)
    batch = {"inputs": {"x": tf.range(real)}, "targets": tf.ones([real, 2], tf.bool)}
    parts = sharding.cut(batch, padded=True)
    places = sharding.split(np.arange(batch_size)[None])[0]
    for part, indices in zip(parts, np.where(places < 0, batch_size, places), strict=True):
        x, valid = part["inputs"]["x"].numpy(), part["valid"].numpy()
        assert valid.tolist() == (indices < real).tolist()
        assert x[valid > 0].tolist() == indices[indices < real].tolist()
        assert set(x) <= set(range(real))
        assert part["targets"].shape == (sharding.shape[1], 2)


def test_full_batches_that_divide_are_only_cut():
    sharding = BatchSharding(strategy=STRATEGIES[2], batch_size=4)
    first, second = sharding.cut({"inputs": tf.range(4)}, padded=False)
    assert list(first) == list(second) == ["inputs"]
    assert [*first["inputs"].numpy(), *second["inputs"].numpy()] == [0, 1, 2, 3]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_each_replica_has_its_own_tensors_on_its_own_device(count):
    sharding = BatchSharding(strategy=STRATEGIES[count], batch_size=4)
    assert sharding.local == tuple(range(count))
    placed = sharding.place(lambda replica: {"number": tf.constant(float(replica))})
    for i, value in enumerate(sharding.strategy.experimental_local_results(placed["number"])):
        assert float(value) == i
        assert value.device.endswith(f"CPU:{i}")
