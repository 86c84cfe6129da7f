"""Statistics of the whole batch: over the examples that count, and no others."""

import numpy as np
import pytest

from objectives import (
    ConfigurationError,
    Context,
    Decorrelation,
    KLSparsity,
    Objective,
    VICRegCovariance,
    VICRegVariance,
)
from objectives.readings import recording

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


@pytest.mark.parametrize("kind", [Decorrelation, VICRegVariance, VICRegCovariance])
@pytest.mark.parametrize("counting", [0, 1])
def test_a_batch_of_which_nothing_or_one_example_counts_costs_nothing(differentiate, kind, counting):
    valid = np.float32(np.arange(6) < counting)
    value, gradient = differentiate(kind(features="activations.hidden"), "features")(
        {"features": FEATURES}, valid=valid
    )
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_units_of_which_no_example_counts_cost_nothing(differentiate):
    term, activation = KLSparsity(activation="activations.code"), np.full([3, 2], 0.9, np.float32)
    value, gradient = differentiate(term, "activation")({"activation": activation}, valid=np.zeros(3, np.float32))
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("weights", [[1.0, 0.5, 0.25, 1.0, 0.0, 1.0]])
def test_examples_that_count_in_part_have_that_share(weights):
    context = Context(outputs=FEATURES, inputs=np.float32(weights))
    covariance = np.cov(FEATURES, rowvar=False, aweights=weights, bias=True)
    value = Decorrelation(features="outputs", mask="inputs").mean(context).result()
    np.testing.assert_allclose(value, np.sum(np.triu(covariance, k=1) ** 2), rtol=1e-5)


@pytest.mark.parametrize(
    ("term", "oracle"),
    [
        (VICRegVariance(features="outputs", mask="inputs"), lambda some: np.mean(_below_1(some))),
        (VICRegCovariance(features="outputs", mask="inputs"), lambda some: 2 * np.sum(np.triu(_cov(some), 1) ** 2) / 3),
        (KLSparsity(activation="outputs", mask="inputs"), None),
    ],
    ids=lambda part: type(part).__name__,
)
def test_masked_examples_change_nothing(term, oracle):
    features = 1 / (1 + np.exp(-FEATURES))
    some = features[MASK > 0]
    value = term.mean(Context(outputs=features, inputs=MASK)).result()
    reads = dict.fromkeys(term.reads, some)
    np.testing.assert_allclose(value, term(counted=np.ones(5, np.float32), **reads), rtol=1e-5)
    if oracle is not None:
        np.testing.assert_allclose(value, oracle(some), rtol=1e-5)


def _cov(features):
    return np.cov(features, rowvar=False)


def _below_1(features):
    return np.maximum(0, 1 - np.sqrt(np.diag(_cov(features)) + 1e-4))


def test_an_activation_that_is_no_probability_is_told_by_its_key():
    objective = Objective(sparse=KLSparsity(activation="activations.relu"))
    with recording() as readings:
        means = objective.means(Context(activations={"relu": np.float32([[0.5], [3.0]])}))
    assert np.isnan(means["sparse"].total)
    (reading,) = readings
    assert reading.what == "the values 'activations.relu' of the term 'sparse'"
    assert reading.outside.numpy().tolist() == [[False], [True]]


@pytest.mark.parametrize("rho", [0.0, 1.0])
def test_a_unit_is_active_on_some_examples_and_not_on_all(rho):
    with pytest.raises(ConfigurationError, match=f"KLSparsity.rho is {rho}; expected a number between 0 and 1"):
        KLSparsity(activation="outputs", rho=rho)


@pytest.mark.parametrize("kind", [Decorrelation, VICRegVariance, VICRegCovariance])
def test_features_of_more_axes_are_refused(kind):
    with pytest.raises(ConfigurationError, match=r"expected \[batch, features\]"):
        kind(features="outputs").mean(Context(outputs=np.zeros([2, 3, 4], np.float32)))
