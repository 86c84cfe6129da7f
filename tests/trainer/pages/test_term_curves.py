"""Term curves: each measure is drawn of the numbers of the run, in the colour of its term."""

import re

import numpy as np
import pytest
from bokeh.models import HoverTool, LogAxis

from trainer.pages.axes import WHOLE
from trainer.pages.facts import read_facts
from trainer.pages.term_curves import term_curves
from trainer.reports import palette


@pytest.fixture
def measures(facts):
    """The figure of each measure, by the label of its button."""
    buttons, *figures = term_curves(facts).children
    return dict(zip(buttons.labels, figures, strict=True))


def test_one_measure_is_shown_and_all_share_their_steps(measures):
    assert [*measures] == ["weighted", "raw", "share of the total", "share of the gradient", "weight"]
    assert [figure.visible for figure in measures.values()] == [True] + [False] * 4
    assert len({id(figure.x_range) for figure in measures.values()}) == 1


def test_curves_are_the_numbers_of_training_and_evaluation(measures, drawn):
    weighted = drawn(measures["weighted"])
    steps = np.arange(1, 41)
    assert weighted["data (train)"] == pytest.approx(np.stack([steps, 10.0 / steps], axis=1))
    assert weighted["total (eval)"] == pytest.approx(np.array([[20, 1.2], [40, 0.6]]))
    assert drawn(measures["share of the total"])["small (train)"][:, 1] == pytest.approx(np.full(40, 2 / 12))
    assert drawn(measures["share of the gradient"])["small (train)"][:, 1] == pytest.approx(np.full(40, 3 / 4))


def test_each_term_has_its_colour_and_its_line_in_the_legend(measures):
    figure = measures["weighted"]
    colors = {one.name.split()[0]: one.glyph.line_color for one in figure.renderers}
    lines = palette.lines(["data", "small"])
    assert colors == {"total": "#000000", "data": lines["data"].color, "small": lines["small"].color}
    (legend,) = figure.legend
    assert [item.label.value for item in legend.items] == ["total", "data", "small"]


def test_an_axis_is_logarithmic_where_values_span_decades(measures):
    kinds = {name: isinstance(figure.yaxis[0], LogAxis) for name, figure in measures.items()}
    assert kinds == {
        "weighted": True,
        "raw": False,
        "share of the total": False,
        "share of the gradient": False,
        "weight": True,
    }


def test_a_run_that_measured_no_gradients_has_no_share_of_them(run_folder):
    labels = term_curves(read_facts(run_folder(gradients=False))).children[0].labels
    assert labels == ["weighted", "raw", "share of the total", "weight"]


def test_weights_are_drawn_only_where_one_changes(run_folder):
    folder = run_folder()
    text = (folder / "metrics.jsonl").read_text()
    (folder / "metrics.jsonl").write_text(re.sub(r'(/weight": )[0-9.e-]+', r"\g<1>0.5", text))
    assert "weight" not in term_curves(read_facts(folder)).children[0].labels


def test_shares_are_drawn_and_told_in_percent(measures):
    for name in ("share of the total", "share of the gradient"):
        figure = measures[name]
        assert (figure.y_range.start, figure.y_range.end) == WHOLE
        assert figure.yaxis[0].formatter.format == "0%"
        assert {dict(tool.tooltips)["value"] for tool in figure.select({"type": HoverTool})} == {"@value{0.00%}"}
