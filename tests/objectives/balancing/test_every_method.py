"""What holds for every method: executions, permutations, scales, conflicts, terms without a gradient, odd gradients."""

import inspect

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import objectives
from objectives import balancing
from tests.objectives.balancing.methods import follow_of, names_of, values_of, weigh_of, weights_of

# What happens to the update where each gradient is multiplied by a number of its own above 0:
SAME_DIRECTION = "it keeps its direction"
SUM = "it is a sum of parts, of which each is multiplied by one of the numbers"
COMMON = "it is multiplied by the number if all are the same"

# The law of each method that is a function of the products of gradients, and whether it promises no conflict.
FROM_PRODUCTS = {
    objectives.MGDA(): (COMMON, True),
    objectives.CAGrad(c=0.5): (COMMON, False),
    objectives.CAGrad(c=1.0): (COMMON, True),
    objectives.UPGrad(): (SUM, True),
    objectives.DualProj(): (COMMON, True),
    objectives.IMTLG(): (SAME_DIRECTION, True),
    objectives.ConFIG(): (SAME_DIRECTION, True),
    objectives.NashMTL(): (SAME_DIRECTION, True),
    objectives.AlignedMTL(): (COMMON, False),
    objectives.PCGrad(): (SUM, False),
}
FROM_GRADIENTS = [
    objectives.GradVac(),
    objectives.GradNorm(),
    objectives.GradientAnnealing(reference="term_0"),
    objectives.InverseDirichlet(),
]
FROM_VALUES = [
    objectives.UncertaintyWeighting(),
    objectives.IMTLL(),
    objectives.DynamicWeightAverage(period=1),
    objectives.SoftAdapt(),
    objectives.SoftAdapt(window=3, normalized=True, loss_weighted=True),
    objectives.ReLoBRaLo(beta=0.5),
    objectives.Lagrangian(limits={"term_1": 0.5}),
    objectives.RandomWeighting(),
]

from_products = pytest.mark.parametrize("method", FROM_PRODUCTS, ids=repr)
few_examples = settings(deadline=None, database=None, max_examples=10)

# Whole numbers give gradients that are equal, opposite, dependent or 0, and otherwise far from that.
jacobians = arrays.arrays(np.float64, (3, 4), elements=st.integers(-3, 3).map(float))
scales = arrays.arrays(np.float64, (3,), elements=st.sampled_from([0.01, 0.5, 1.0, 3.0, 100.0]))


def update(method, jacobian):
    return jacobian.T @ weights_of(method)(jacobian)


def assert_close(found, expected, size):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * max(np.abs(size).max(), 1e-30))


def with_law(law):
    return pytest.mark.parametrize("method", [one for one, (its, _) in FROM_PRODUCTS.items() if its == law], ids=repr)


def test_every_exported_method_is_here():
    classes = [thing for thing in vars(objectives).values() if inspect.isclass(thing)]
    exported = {one for one in classes if issubclass(one, balancing.Weighting) and not inspect.isabstract(one)}
    assert exported == {type(one) for one in [*FROM_PRODUCTS, *FROM_GRADIENTS, *FROM_VALUES]}


@pytest.mark.parametrize("mode", ["graph", pytest.param("xla", marks=pytest.mark.slow)])
class TestInEveryExecution:
    @from_products
    def test_methods_from_products_find_the_same(self, method, mode):
        jacobian = np.random.default_rng(0).normal(size=(3, 4))
        eager = method.weights(jacobian @ jacobian.T)
        assert_close(weights_of(method, mode)(jacobian), eager, eager)

    @pytest.mark.parametrize("method", FROM_GRADIENTS, ids=repr)
    def test_methods_from_gradients_find_the_same(self, method, mode):
        rng = np.random.default_rng(0)
        states = {"eager": None, mode: None}
        for _ in range(3):
            jacobian, raw = rng.normal(size=(3, 4)), rng.uniform(1, 2, size=3)
            found = {one: weigh_of(method, one)(jacobian, raw, state) for one, state in states.items()}
            states = {one: state for one, (_, state) in found.items()}
            assert_close(found[mode][0], found["eager"][0], found["eager"][0])

    @pytest.mark.parametrize("method", FROM_VALUES, ids=repr)
    def test_methods_from_values_find_the_same(self, method, mode):
        steps = np.random.default_rng(0).uniform(1, 2, size=(5, 3))
        eager = follow_of(method, "eager")(steps)
        assert_close(follow_of(method, mode)(steps), eager, eager)


@from_products
@few_examples
@given(jacobian=jacobians, order=st.permutations(range(3)))
def test_a_permutation_of_the_terms_permutes_the_factors(method, jacobian, order):
    if isinstance(method, objectives.PCGrad):  # Its order is random; with two terms there is one alone.
        jacobian, order = jacobian * [[1], [1], [0]], [one for one in order if one < 2] + [2]
    found = weights_of(method)(jacobian)
    assert_close(weights_of(method)(jacobian[order]), found[order], found)


@pytest.mark.parametrize("method", FROM_VALUES[:-2], ids=repr)
def test_a_permutation_of_the_terms_permutes_the_factors_of_methods_from_values(method):
    steps = np.random.default_rng(0).uniform(1, 2, size=(5, 3))
    order = [2, 0, 1]
    assert_close(follow_of(method)(steps[:, order]), follow_of(method)(steps)[:, order], 1.0)


@from_products
@few_examples
@given(jacobian=jacobians, factor=st.sampled_from([1e-3, 0.5, 1e3]))
def test_a_scale_that_all_share(method, jacobian, factor):
    once = update(method, jacobian)
    scaled = update(method, factor * jacobian)
    expected = once if isinstance(method, objectives.NashMTL) else factor * once  # Its length is that of an agreement.
    assert_close(scaled, expected, np.abs(weights_of(method)(factor * jacobian)) @ np.abs(factor * jacobian))


@with_law(SAME_DIRECTION)
@few_examples
@given(jacobian=jacobians, scale=scales)
def test_the_scale_of_a_term_leaves_the_direction(method, jacobian, scale):
    once, scaled = update(method, jacobian), update(method, scale[:, np.newaxis] * jacobian)
    length = np.linalg.norm(once)
    if length > 1e-2:
        assert_close(scaled / np.linalg.norm(scaled), once / length, 10.0)


@with_law(SUM)
@few_examples
@given(jacobian=jacobians, one=scales, other=scales)
def test_each_term_adds_a_part_as_large_as_its_scale(method, jacobian, one, other):
    def scaled(scale):
        return update(method, scale[:, np.newaxis] * jacobian)

    assert_close(scaled(one + other), scaled(one) + scaled(other), (one + other).max() * np.abs(jacobian).max() + 1.0)


@pytest.mark.parametrize("method", [one for one, (_, promised) in FROM_PRODUCTS.items() if promised], ids=repr)
@few_examples
@given(jacobian=jacobians, scale=scales)
def test_no_term_gets_worse_where_that_is_promised(method, jacobian, scale):
    jacobian = scale[:, np.newaxis] * jacobian
    factors = weights_of(method)(jacobian)
    norms = np.linalg.norm(jacobian, axis=1)
    along = (jacobian @ jacobian.T @ factors) / np.where(norms == 0, 1.0, norms)
    assert along.min() >= -3e-6 * np.abs(factors * norms).max()


@from_products
@few_examples
@given(jacobian=jacobians, row=st.integers(0, 2))
def test_a_term_without_a_gradient_has_the_factor_0_and_the_others_theirs(method, jacobian, row):
    if isinstance(method, objectives.PCGrad):
        row = 2  # Among the others there is one order alone.
    others = [one for one in range(3) if one != row]
    kept = weights_of(method)(jacobian[others])
    jacobian = np.where(np.arange(3)[:, np.newaxis] == row, 0.0, jacobian)
    found = weights_of(method)(jacobian)
    assert found[row] == 0.0
    assert_close(found[others], kept, kept)


@pytest.mark.parametrize("method", FROM_GRADIENTS, ids=repr)
def test_a_term_without_a_gradient_has_the_factor_0_in_methods_from_gradients(method):
    jacobian = np.random.default_rng(0).normal(size=(3, 4))
    jacobian[2] = 0.0
    states = [None, None]
    for _ in range(3):
        (whole, states[0]), (kept, states[1]) = (
            weigh_of(method)(one, state=state) for one, state in zip((jacobian, jacobian[:2]), states, strict=True)
        )
        assert whole[2] == 0.0
        assert_close(whole[:2], kept, kept)


EQUAL = np.float64([[1, 2, 3], [1, 2, 3], [1, 2, 3]])
OPPOSITE = np.float64([[1, 2, 3], [-1, -2, -3], [2, 4, 6]])
WIDE = np.float64([[1, 2, 3], [-1, 1, 0], [0, -1, 1]]) * [[1e-6], [1.0], [1e6]]
ODD = {"equal": EQUAL, "opposite": OPPOSITE, "of many scales": WIDE, "none": np.zeros([3, 3])}


@pytest.mark.parametrize("jacobian", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("method", [*FROM_PRODUCTS, *FROM_GRADIENTS], ids=repr)
def test_the_factors_of_odd_gradients_are_finite(method, jacobian):
    factors, state = weigh_of(method)(jacobian)
    assert np.isfinite(factors).all()
    assert all(np.isfinite(one).all() for name, one in state.items())
    assert (factors == 0).all() == (not jacobian.any())


@from_products
def test_equal_gradients_share_a_factor(method):
    factors = weights_of(method)(EQUAL)
    np.testing.assert_allclose(factors, factors[0], rtol=1e-5)


@from_products
@pytest.mark.parametrize("terms", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_one_term_and_many(method, terms):
    jacobian = np.random.default_rng(0).normal(size=(terms, terms // 2 + 1))
    factors = method.weights(jacobian @ jacobian.T)
    assert np.isfinite(factors).all()
    assert factors.shape == [terms]
    assert tf.reduce_any(factors > 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("method", [*FROM_PRODUCTS, *FROM_GRADIENTS], ids=repr)
def test_a_gradient_that_is_not_finite_is_not_hidden_and_spoils_no_state(method, bad):
    jacobian = np.array([[1.0, 2.0, 3.0], [bad, 1.0, 0.0], [0.0, 1.0, 1.0]])
    factors, state = weigh_of(method)(jacobian)
    assert np.isnan(factors[1])
    after, _ = weigh_of(method)(WIDE, state=state)
    assert np.isfinite(after).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("method", FROM_VALUES, ids=repr)
def test_a_value_that_is_not_finite_spoils_no_state(method, bad):
    assert np.isfinite(follow_of(method)([[bad, 1.0, 2.0], [1.0, 1.0, bad], [1.0, 2.0, bad], [1.0, 1.0, 1.0]])).all()


@pytest.mark.parametrize("method", [*FROM_PRODUCTS, *FROM_GRADIENTS, *FROM_VALUES], ids=repr)
def test_factors_and_state_keep_their_shapes_and_types(method):
    names, values = names_of(3), values_of([1.0, 2.0, 0.5])
    state = {name: tf.constant(one) for name, one in method.first_state(names).items()}
    given = values
    if isinstance(method, balancing.GradientWeighting):
        given = balancing.TermGradients([[tf.constant(row)] for row in np.float32(WIDE)], values)
    factors, new = method.weigh(given, state)
    for one in (factors, method.first_factors(names)):
        assert (one.dtype, one.shape) == (tf.float32, [3])
    assert {name: (one.dtype, one.shape) for name, one in new.items()} == {
        name: (one.dtype, one.shape) for name, one in state.items()
    }
