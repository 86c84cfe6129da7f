"""Trends: what is called falling, rising or unclear is so, whatever the curve and its noise."""

import numpy as np
import pytest

from trainer.reports.trends import late_trend

STEPS = np.arange(1, 201)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (1 + 4 * np.exp(-STEPS / 100), "still falling: the last quarter is 21% below the one before"),
        (5 * STEPS**-0.5, "still falling: the last quarter is 16% below the one before"),
        (np.array([3.09, 2.74, 2.61]).repeat(10) + 0.02 * np.sin(np.arange(30)), "still falling: "),
        (1 + np.exp(STEPS / 100), "rising of late: "),
        (-STEPS / 100, "still falling: the last quarter is 0.5 below the one before"),
        (np.full(200, 3.0), "no clear change from the quarter before to the last one (+0.0% ± 0.0%)"),
        (np.zeros(200), "no clear change from the quarter before to the last one (+0 ± 0)"),
        (np.ones(15), ""),
    ],
)
def test_a_curve_without_noise_is_told_by_its_number(values, words):
    assert late_trend(values).startswith(words)


def test_noise_alone_is_seldom_a_trend_and_a_fall_beyond_it_is_seen():
    noise = np.random.default_rng(0).normal(size=[200, 100])
    alone = [late_trend(3 + 0.3 * one) for one in noise]
    assert np.mean([text.startswith("no clear change") for text in alone]) > 0.9
    fallen = [late_trend(5 * np.arange(1, 101) ** -0.5 + 0.05 * one) for one in noise]
    assert np.mean([text.startswith("still falling") for text in fallen]) > 0.95
