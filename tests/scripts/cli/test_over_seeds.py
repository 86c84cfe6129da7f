"""Numbers over seeds: pairs that all differ alike, of which a test knows no spread."""

import numpy as np

from termwise.cli.over_seeds import paired_p


def test_pairs_that_all_differ_by_the_same_are_told_apart():
    assert paired_p(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == 0.0
