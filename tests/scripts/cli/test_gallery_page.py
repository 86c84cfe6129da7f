"""The page of the gallery: tables over seeds, which differences are told as ones, and what its measures mean."""

import re

import pytest
from scipy.stats import ttest_1samp, ttest_rel

from tasks import QuantileRegression
from termwise.cli.gallery_page import gallery_page
from termwise.cli.task_pairs import Pair


@pytest.fixture
def page(tmp_path):
    """Makes the page of a task over four seeds, in which the loss is less by far and crossings are as often more.

    The run without a term has the difference of the loss with a spread that is asked for; the plain one trained
    nothing that is covered.
    """

    def make(spread=0.01, covered=(80.0, 81.0, 82.0, 83.0)):
        pictures = tmp_path / "tasks"
        pairs = [
            Pair(
                task=QuantileRegression,
                terms={"quantiles": "1.0"},
                without={"pinball_loss": 1.0 + 0.01 * seed, "crossed_percent": float(seed)},
                with_terms={"pinball_loss": 0.5, "crossed_percent": float(3 - seed), "coverage_percent": 80.0 + seed},
                lacking={
                    "ordering": {
                        "pinball_loss": 1.5 + spread * seed,
                        "crossed_percent": float(3 - seed),
                        "coverage_percent": covered[seed],
                    }
                },
                pictures=() if seed else (pictures / "quantile_regression" / "quantiles.png",),
            )
            for seed in range(4)
        ]
        return gallery_page({"quantile_regression": pairs}, "termwise gallery --output=tasks.md", pictures).splitlines()

    return make


def test_a_row_has_means_spreads_and_the_p_of_a_paired_test(page):
    p = ttest_1samp([-0.5, -0.51, -0.52, -0.53], 0.0).pvalue
    assert f"| pinball_loss ↓ | 1.015 ± 0.013 | 0.5 ± 0 | **-0.515 ± 0.013** | {p:.2g} |" in page()


def test_a_difference_that_seeds_do_not_tell_apart_is_not_bold(page):
    assert "| crossed_percent ↓ | 1.5 ± 1.3 | 1.5 ± 1.3 | 0 ± 2.6 | 1 |" in page()


def test_a_run_that_lacks_a_term_is_bold_where_it_differs_from_the_one_with_all(page):
    p = ttest_1samp([1.0, 1.01, 1.02, 1.03], 0.0).pvalue
    assert "| measure | with terms | without `ordering` | p |" in page()
    assert f"| pinball_loss ↓ | 0.5 ± 0 | **1.515 ± 0.013** | {p:.2g} |" in page()
    assert "| crossed_percent ↓ | 1.5 ± 1.3 | 1.5 ± 1.3 | 1 |" in page()


def test_what_one_comparison_alone_would_tell_is_not_bold_where_five_together_do_not(page):
    p = ttest_1samp([1.0, 1.8, 2.6, 3.4], 0.0).pvalue
    assert 0.05 / 4 < p < 0.05
    assert f"| pinball_loss ↓ | 0.5 ± 0 | 2.7 ± 1 | {p:.2g} |" in page(spread=0.8)
    assert any("all 5 comparisons of this page together" in line for line in page())


def test_where_a_number_is_right_the_distances_to_it_are_tested(page):
    told = [78.0, 79.0, 77.0, 78.0]
    p = ttest_rel([0.0, 1.0, 2.0, 3.0], [2.0, 1.0, 3.0, 2.0]).pvalue
    assert f"| coverage_percent → 80 | 81.5 ± 1.3 | 78 ± 0.82 | {p:.2g} |" in page(covered=told)


def test_what_a_run_has_not_trained_is_told_as_that_and_not_compared(page):
    assert "| coverage_percent → 80 | not trained | 81.5 ± 1.3 |  |  |" in page()


def test_it_says_what_each_measure_means_and_which_way_it_gets_better(page):
    told = [re.match(r"- `(\w+)` (↑|↓|→ 80): .+\.$", line) for line in page()]
    assert {found[1]: found[2] for found in told if found} == {
        "pinball_loss": "↓",
        "coverage_percent": "→ 80",
        "calibration_error_percent": "↓",
        "crossed_percent": "↓",
    }


def test_it_says_what_the_task_is_how_it_is_run_and_shows_its_picture(page):
    assert "## QuantileRegression" in page()
    assert "![quantile_regression](tasks/quantile_regression/quantiles.png)" in page()
    assert any("termwise train --gin_file=quantile_regression.gin" in line for line in page())
    assert not any("Attributes" in line for line in page())
