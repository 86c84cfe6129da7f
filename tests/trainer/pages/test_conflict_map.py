"""The conflict map has the cosine of each pair at each look."""

import numpy as np

from trainer.pages.conflict_map import conflict_map
from trainer.pages.facts import read_facts


def test_each_pair_has_its_cosine_at_each_look(facts):
    figure = conflict_map(facts)
    (cells,) = figure.renderers
    data = cells.data_source.data
    assert {*data["pair"]} == {"data and small"} == {*figure.y_range.factors}
    np.testing.assert_array_equal(data["right"], np.arange(1, 41))
    np.testing.assert_array_equal(data["left"], np.arange(40))
    np.testing.assert_array_equal(data["cosine"], np.full(40, -0.5))


def test_without_looks_there_is_none(run_folder):
    assert conflict_map(read_facts(run_folder(gradients=False))) is None
