"""Run curves: each value of each configuration is drawn in its colour, seeds as a mean in a band."""

import numpy as np
import pytest
from bokeh.models import CustomJS

from trainer.pages.axes import WHOLE
from trainer.pages.facts import facts_of
from trainer.pages.run_curves import _merged, run_curves
from trainer.reports import palette


@pytest.fixture
def layout(seeds):
    facts = [facts_of(folder, run) for folder, run in zip(seeds.folders, seeds.runs, strict=True)]
    return run_curves(seeds.groups, facts, {"loss/total": "other weights"})


@pytest.fixture
def arguments(layout):
    """What a choice changes: the curves by name and measure, and the rest."""
    return next(one.args for one in layout.select({"type": CustomJS}) if "curves" in one.args)


def test_any_term_by_any_measure_and_any_metric_can_be_chosen(arguments):
    of_terms = {f"{term}|{measure}" for term in ("data", "small") for measure in arguments["buttons"].labels}
    assert {*arguments["curves"]} == {"total|", "metrics/auc|", "optimizer/learning_rate|", *of_terms}
    assert arguments["buttons"].labels == ["weighted", "raw", "share of the total", "share of the gradient", "weight"]


def test_seeds_are_their_mean_and_standard_deviation_and_a_single_run_itself(arguments):
    train, evaluation, other, _ = arguments["curves"]["total|"]
    steps = np.arange(1, 41)
    np.testing.assert_array_equal(train["step"], steps)
    assert train["value"] == pytest.approx(2 * 12 / steps, rel=1e-6)
    assert train["spread"] == pytest.approx(np.std([12 / steps, 36 / steps], axis=0, ddof=1), rel=1e-6)
    assert train["high"] == pytest.approx(train["value"] + train["spread"], rel=1e-6)
    assert {*train["runs"]} == {2}
    assert (evaluation["step"], evaluation["value"]) == ([40], [pytest.approx(2 * 2 * 12 / 40)])
    assert other["value"] == pytest.approx(6 / steps, rel=1e-6)
    assert "low" not in other


def test_a_band_ends_above_0_where_the_axis_is_logarithmic(arguments):
    assert arguments["kinds"]["total|"] == "log"
    assert arguments["kinds"]["metrics/auc|"] == "linear"
    assert arguments["curves"]["total|"][0]["low"].min() > 0
    assert [plot.visible for plot in arguments["plots"]] == [False, True, False]
    for key, drawn in arguments["curves"].items():
        start, end = arguments["ranges"][key]
        for points in drawn:
            assert all((start <= points["value"]) & (points["value"] <= end))


def test_each_configuration_has_one_colour_and_its_name_in_the_legend(arguments):
    lines = palette.lines(["a", "b"])
    for plot in arguments["plots"]:
        colors = {one.name: one.glyph.line_color for one in plot.renderers if one.name}
        assert colors["a (train)"] == colors["a (eval)"] == lines["a"].color
        assert colors["b (train)"] == lines["b"].color
        assert [item.label.value for item in plot.legend[0].items] == ["a", "b"]


def test_runs_of_other_lengths_count_where_they_have_steps():
    merged = _merged(
        [(np.array([10, 20, 30]), np.array([1.0, 2.0, 3.0])), (np.array([10, 20]), np.array([3.0, np.nan]))]
    )
    assert merged["value"].tolist() == [2.0, 2.0, 3.0]
    assert merged["runs"].tolist() == [2, 1, 1]


def test_without_a_finite_number_there_is_no_figure(seeds):
    assert run_curves([], [], {}) is None


def test_shares_are_drawn_from_0_to_100_percent(arguments):
    for term in ("data", "small"):
        for measure in ("share of the total", "share of the gradient"):
            assert arguments["kinds"][f"{term}|{measure}"] == "share"
            assert arguments["ranges"][f"{term}|{measure}"] == WHOLE
    assert arguments["plots"][2].yaxis[0].formatter.format == "0%"


def test_the_title_says_where_values_are_not_of_the_same_quantity(arguments):
    assert arguments["titles"]["total|"] == "the total ≠ not the same quantity (other weights)"
    assert arguments["titles"]["data|raw"] == "data: raw"
