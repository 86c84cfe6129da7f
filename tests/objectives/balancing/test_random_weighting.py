"""Random factors: 1 on average, and drawn anew."""

import numpy as np
import scipy.special

from objectives import RandomWeighting
from objectives.balancing import draws
from tests.objectives.balancing.methods import follow_of, names_of


def test_factors_are_softmax_of_normal_draws_and_1_on_average():
    factors = follow_of(RandomWeighting(seed=4))(np.ones([3, 5]))
    expected = [5 * scipy.special.softmax(draws.normal(5, step, 4)) for step in range(1, 4)]
    np.testing.assert_allclose(factors, expected, rtol=1e-5)
    np.testing.assert_allclose(factors.mean(axis=1), 1, rtol=1e-6)


def test_the_first_step_has_a_draw_of_its_own():
    first = RandomWeighting().first_factors(names_of(5))
    assert not np.isin(first, follow_of(RandomWeighting())(np.ones([3, 5]))).any()
