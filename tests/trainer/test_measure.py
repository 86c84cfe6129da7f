"""Measure: an arrow for what is better, and a direction that there is not."""

import pytest

from objectives import ConfigurationError
from trainer import Measure


@pytest.mark.parametrize(("better", "sign"), [("more", "↑"), ("less", "↓"), (100, "→ 100"), (0.5, "→ 0.5")])
def test_an_arrow_says_which_way_a_measure_gets_better(better, sign):
    assert Measure("the strength of edges", better).sign == sign


def test_another_word_for_a_direction_is_refused():
    with pytest.raises(ConfigurationError, match="Measure.better is 'higher'; expected"):
        Measure("the strength of edges", better="higher")
