"""Small curves: a figure for each metric and each rate."""

import numpy as np
import pytest

from trainer.pages.small_curves import metric_curves, rate_curves


def test_metrics_are_drawn_where_the_run_was_evaluated(facts):
    (figure,) = metric_curves(facts).children
    (line, _) = figure.renderers
    assert figure.title.text == "auc"
    np.testing.assert_array_equal(line.data_source.data["step"], [20, 40])
    assert line.data_source.data["value"] == pytest.approx([0.7, 0.9])


def test_learning_rates_are_drawn(facts):
    assert [figure.title.text for figure in rate_curves(facts).children] == ["optimizer/learning_rate"]
