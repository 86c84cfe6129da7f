"""First weights: as many as the names of the workloads say, and every layer begins at a scale that it keeps."""

import numpy as np
import pytest

from termwise.benchmarks.first_weights import first_weights
from termwise.benchmarks.workloads import WORKLOADS

MILLIONS = {"resnet_1m": 1, "dense_10m": 10, "transformer_10m": 10, "dense_70m": 70}


@pytest.mark.parametrize("workload", MILLIONS)
def test_names_say_how_many_weights_there_are(workload):
    weights = sum(weight.size for weight in first_weights(WORKLOADS[workload]))
    assert weights / 1e6 == pytest.approx(MILLIONS[workload], rel=0.25)


def test_they_are_the_same_for_every_peer():
    for one, other in zip(first_weights(WORKLOADS["tiny"]), first_weights(WORKLOADS["tiny"]), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == np.float32


def test_kernels_keep_the_scale_of_their_inputs_and_biases_begin_at_zero():
    kernel, bias, *_ = first_weights(WORKLOADS["large"])
    assert kernel.std() == pytest.approx(784**-0.5, rel=0.01)
    assert not bias.any()
