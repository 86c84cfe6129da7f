"""Closeness: rounding is measured by the largest number, and what differs is told."""

import numpy as np
import pytest

from objectives import MeanSquaredError
from objectives.testing.check import Fault
from objectives.testing.closeness import require_close, require_close_gradients, require_finite


def test_rounding_is_measured_by_the_largest_number():
    require_close([1e-4, 1e6], [0.0, 1e6], "it", "")
    with pytest.raises(Fault, match="it is 1 where 0 is expected; sum up"):
        require_close([1.0, 1e2], [0.0, 1e2], "it", "sum up")


def test_numbers_near_0_are_equal_to_0_up_to_rounding():
    require_close(1e-9, 0.0, "it", "")
    with pytest.raises(Fault):
        require_close(1e-6, 0.0, "it", "")


def test_rounding_is_measured_by_results_elsewhere_too():
    require_close(1e-6, 0.0, "it", "", beside=[1.0, np.nan])
    with pytest.raises(Fault):
        require_close(np.nan, 0.0, "it", "", beside=1.0)


def test_what_is_not_finite_is_equal_to_itself_only():
    require_close([np.nan, np.inf], [np.nan, np.inf], "it", "")
    with pytest.raises(Fault, match="it is inf where nan is expected"):
        require_close(np.inf, np.nan, "it", "")


def test_another_shape_is_told():
    with pytest.raises(Fault, match=r"it has the shape \(2,\) where \(3,\) is expected"):
        require_close(np.zeros(2), np.zeros(3), "it", "")


def test_gradients_are_told_by_the_name_of_the_read(subject_of):
    subject, ones = subject_of(MeanSquaredError(y_pred="outputs.size")), {"outputs.size": np.ones(2)}
    with pytest.raises(Fault, match="the gradient by y_pred of shards is 2 where 1 is expected"):
        require_close_gradients({"outputs.size": 2 * np.ones(2)}, ones, subject, "of shards", "")
    with pytest.raises(Fault, match="the gradient by y_pred is inf at zeros, while the value is 0"):
        require_finite(subject, np.float32(0), {"outputs.size": np.array([1, np.inf])}, "at zeros")
    with pytest.raises(Fault, match="the value is nan at zeros"):
        require_finite(subject, np.float32(np.nan), ones, "at zeros")
