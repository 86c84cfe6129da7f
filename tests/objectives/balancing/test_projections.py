"""PCGrad and GradVac against closed forms and the papers' loops over pairs in NumPy."""

import numpy as np
import pytest

from objectives import GradVac, PCGrad, UPGrad
from objectives.balancing import draws
from tests.objectives.balancing.methods import weigh_of, weights_of

PAIRS = np.random.default_rng(0).normal(size=(10, 2, 3))


def loop(jacobian, orders, change):
    """The sum of all gradients, each changed by each of the others in its order."""
    changed = jacobian.copy()
    for one, order in enumerate(orders):
        for other in order[order != one]:
            changed[one] = change(changed[one], jacobian[other], (one, other))
    return changed.sum(axis=0)


@pytest.mark.parametrize("pair", PAIRS, ids=range(len(PAIRS)))
def test_pcgrad_of_two_terms_is_the_closed_form_and_twice_upgrad(pair):
    (one, product), (_, other) = pair @ pair.T
    conflict = max(-product, 0)
    found = weights_of(PCGrad())(pair)
    np.testing.assert_allclose(found, [1 + conflict / one, 1 + conflict / other], rtol=1e-6)
    np.testing.assert_allclose(found, 2 * weights_of(UPGrad())(pair), rtol=1e-5)


@pytest.mark.parametrize("drawn", range(3))
def test_pcgrad_is_the_loop_of_the_paper(drawn):
    jacobian = np.random.default_rng(drawn).normal(size=(4, 3))

    def without_conflict(vector, other, at):
        return vector - min(vector @ other, 0) / (other @ other) * other

    method = PCGrad(seed=5)
    found = jacobian.T @ method.weights(jacobian @ jacobian.T, drawn).numpy()
    expected = loop(jacobian, draws.orders(4, drawn, 5).numpy(), without_conflict)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_pcgrad_draws_another_order_in_each_step():
    jacobian, state, found = np.random.default_rng(3).normal(size=(4, 3)), None, []
    for _ in range(6):
        factors, state = weigh_of(PCGrad())(jacobian, state=state)
        found.append(tuple(factors))
    assert len({*found}) > 1
    assert int(state["drawn"]) == 6


def test_gradvac_is_the_loop_of_the_paper():
    rng, beta, state = np.random.default_rng(0), 0.5, None
    usual = np.zeros([3, 3])

    def vaccinated(vector, other, at):
        norm = np.linalg.norm(vector)
        cosine = vector @ other / (norm * np.linalg.norm(other))
        wanted = usual[at]
        usual[at] = (1 - beta) * wanted + beta * cosine
        if cosine >= wanted:
            return vector
        root = np.sqrt(1 - wanted**2)
        scale = norm * (wanted * np.sqrt(1 - cosine**2) - cosine * root) / (np.linalg.norm(other) * root)
        return vector + scale * other

    for step in range(5):
        jacobian = rng.normal(size=(3, 4)) + [1, 0, 0, 0]
        factors, state = weigh_of(GradVac(beta=beta))(jacobian, state=state)
        expected = loop(jacobian, draws.orders(3, step, 0).numpy(), vaccinated)
        np.testing.assert_allclose(jacobian.T @ factors, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(state["cosines"], usual, atol=1e-5)


def test_gradvac_keeps_its_averages_where_gradients_are_not_finite():
    jacobian = np.random.default_rng(0).normal(size=(3, 4))
    _, state = weigh_of(GradVac())(jacobian)
    factors, after = weigh_of(GradVac())(jacobian * np.inf, state=state)
    assert np.isnan(factors).all()
    np.testing.assert_array_equal(after["cosines"], state["cosines"])
