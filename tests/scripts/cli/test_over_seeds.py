"""Numbers over seeds: pairs that all differ alike, of which a test knows no spread, and many tests at once."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from termwise.cli.over_seeds import holm, paired_p


def test_pairs_that_all_differ_by_the_same_are_told_apart():
    assert paired_p(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == 0.0


def test_many_p_are_corrected_as_by_hand():
    # The smallest counts four times, the next three times, and none less than one that was smaller: 0.06 for 0.04.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_it_is_as_strict_as_dividing_the_level_and_stricter_than_a_bound_on_the_rate_of_false_ones():
    p = np.random.default_rng(0).uniform(size=30) ** 3
    corrected = np.array(holm([*p]))
    assert (corrected <= np.minimum(30 * p, 1.0) + 1e-12).all()
    assert (corrected >= false_discovery_control(p, method="bh") - 1e-12).all()


def test_no_comparison_is_corrected_to_none():
    assert holm([]) == []
