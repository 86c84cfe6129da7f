"""Statistics of the whole batch: over the examples that count, and no others."""

import numpy as np
import pytest

from objectives import ConfigurationError, Context, Decorrelation

FEATURES = np.random.default_rng(0).normal(size=[6, 3]).astype(np.float32)
MASK = np.array([1, 1, 0, 1, 1, 1], np.float32)
VALID = np.array([1, 0, 1, 1, 1, 1], np.float32)


@pytest.mark.parametrize("roots", [{"mask": MASK}, {"valid": VALID}, {"mask": MASK, "valid": VALID}], ids=" and ".join)
def test_only_examples_that_count_have_a_say(differentiate, roots):
    term = Decorrelation(features="activations.hidden", mask="weights.mask" if "mask" in roots else None)
    counts = (roots.get("mask", 1) * roots.get("valid", np.ones(6))) > 0
    context = {"weights": {"mask": MASK}, "valid": roots.get("valid", np.ones(6, np.float32))}
    features = np.where(counts[:, None], FEATURES, np.nan).astype(np.float32)
    value, gradient = differentiate(term, "features")({"features": features}, **context)
    covariance = np.cov(FEATURES[counts], rowvar=False, bias=True)
    np.testing.assert_allclose(value, np.sum(np.triu(covariance, k=1) ** 2), rtol=1e-5)
    assert np.all(gradient[counts] != 0)
    np.testing.assert_array_equal(gradient[~counts], 0)


def test_a_batch_of_which_nothing_counts_costs_nothing(differentiate):
    term = Decorrelation(features="activations.hidden")
    value, gradient = differentiate(term, "features")({"features": FEATURES}, valid=np.zeros(6, np.float32))
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_features_of_more_axes_are_refused():
    with pytest.raises(ConfigurationError, match=r"expected \[batch, features\]"):
        Decorrelation(features="outputs").mean(Context(outputs=np.zeros([2, 3, 4], np.float32)))
