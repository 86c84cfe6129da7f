"""Shown: values that are divided last, with what is masked and what is not finite told apart."""

import numpy as np

from trainer.reports.examples.shown import Values


def test_a_mean_over_channels_counts_what_is_not_masked():
    values = Values(np.array([[[6.0, 0.0], [1.0, 3.0]]]), np.array([[[2.0, 0.0], [1.0, 1.0]]]))
    np.testing.assert_array_equal(values.averaged(2), [[3.0, 2.0]])
    np.testing.assert_array_equal(values.averaged(1), [2.5])


def test_what_is_masked_is_nan_and_what_is_not_finite_is_infinite():
    values = Values(np.array([np.nan, 0.0, -np.inf, 2.0]), np.array([1.0, 0.0, 1.0, 1.0]))
    np.testing.assert_array_equal(values.averaged(1), [np.inf, np.nan, -np.inf, 2.0])


def test_it_has_as_many_examples_as_its_tensors(make_shown):
    assert make_shown({"inputs": np.zeros([3, 2])}).count == 3
