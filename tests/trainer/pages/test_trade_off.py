"""Trade-off: points are the last evaluations, and the front is what no other run beats."""

import math

import numpy as np
import pytest
from bokeh.models import CustomJS

from trainer.comparison.comparison import compare
from trainer.pages.trade_off import _Values, front, trade_off


@pytest.fixture
def arguments(seeds):
    (choose,) = trade_off(seeds).select({"type": CustomJS})
    return choose.args


def values(sign, *means):
    return _Values("a value", sign, np.array(means), np.full(len(means), math.nan))


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (values(-1, 1.0, 2.0, 3.0), values(-1, 3.0, 2.0, 1.0), [0, 1, 2]),
        (values(-1, 1.0, 2.0, 3.0), values(-1, 1.0, 2.0, 1.0), [0]),
        (values(-1, 1.0, 2.0, 3.0), values(1, 1.0, 2.0, 2.0), [0, 1]),
        (values(-1, 1.0, math.nan, 3.0), values(-1, 3.0, 0.0, 1.0), [0, 2]),
        (values(-1, 1.0, 1.0), values(-1, 1.0, 1.0), [0, 1]),
        (values(0, 1.0, 2.0), values(-1, 2.0, 1.0), []),
    ],
)
def test_the_front_is_what_no_other_beats_in_both(x, y, expected):
    assert front(x, y) == expected


def test_any_two_values_can_be_chosen_with_the_direction_in_which_each_is_better(arguments):
    labels = arguments["labels"]
    assert labels["terms/data/raw"] == "data (lower is better)"
    assert labels["metrics/auc"] == "auc (higher is better)"
    assert labels["loss/total"] == "total ≠"
    assert {*arguments["values"]} == {*labels}


def test_points_are_the_means_of_the_last_evaluations_with_their_spread(arguments):
    assert arguments["values"]["loss/total"] == pytest.approx([1.2, 0.3])
    assert arguments["spreads"]["loss/total"] == pytest.approx([np.std([0.6, 1.8], ddof=1), math.nan], nan_ok=True)
    data = arguments["points"].data
    assert data["name"] == ["a", "b"]
    np.testing.assert_array_equal(data["x"], arguments["values"][arguments["x"].value])


def test_a_single_configuration_has_no_trade_off(run_folder):
    assert trade_off(compare([run_folder()])) is None
