"""The page of the gallery: a table over seeds, and which differences are told as ones."""

import pytest
from scipy.stats import ttest_1samp

from tasks import QuantileRegression
from termwise.cli.gallery_page import gallery_page
from termwise.cli.task_pairs import Pair


@pytest.fixture
def page(tmp_path):
    """The page of a task over four seeds, in which one measure is better by far and the other as often worse."""
    pictures = tmp_path / "tasks"
    pairs = [
        Pair(
            task=QuantileRegression,
            terms={"quantiles": "1.0"},
            without={"loss": 1.0 + 0.01 * seed, "noise": float(seed)},
            with_terms={"loss": 0.5, "noise": float(3 - seed)},
            lacking={"ordering": {"loss": 1.5 + 0.01 * seed, "noise": float(3 - seed)}},
            pictures=() if seed else (pictures / "quantile_regression" / "quantiles.png",),
        )
        for seed in range(4)
    ]
    return gallery_page({"quantile_regression": pairs}, "termwise gallery --output=tasks.md", pictures)


def test_a_row_has_means_spreads_and_the_p_of_a_paired_test(page):
    p = ttest_1samp([-0.5, -0.51, -0.52, -0.53], 0.0).pvalue
    assert f"| loss | 1.015 ± 0.013 | 0.5 ± 0 | **-0.515 ± 0.013** | {p:.2g} |" in page.splitlines()


def test_a_difference_that_seeds_do_not_tell_apart_is_not_bold(page):
    row = next(line for line in page.splitlines() if line.startswith("| noise"))
    assert "**" not in row
    assert row.endswith("| 1 |")


def test_a_run_that_lacks_a_term_is_bold_where_it_differs_from_the_one_with_all(page):
    assert "| measure | with terms | without `ordering` |" in page
    assert "| loss | 0.5 ± 0 | **1.515 ± 0.013** |" in page
    assert "| noise | 1.5 ± 1.3 | 1.5 ± 1.3 |" in page


def test_it_says_how_many_differences_chance_alone_would_show(page):
    assert "about 0 of the 4 comparisons" in page


def test_it_says_what_the_task_is_how_it_is_run_and_shows_its_picture(page):
    assert "## QuantileRegression" in page
    assert "![quantile_regression](tasks/quantile_regression/quantiles.png)" in page
    assert "termwise train --gin_file=quantile_regression.gin" in page
    assert "Attributes" not in page
