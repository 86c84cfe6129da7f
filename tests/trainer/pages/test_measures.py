"""Measures: each is made of the numbers of a run."""

import pytest

from trainer.pages.measures import measures


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("weighted", 0.05),
        ("raw", 2.0),
        ("weight", 0.025),
        ("share of the total", 2 / 12),
        ("share of the gradient", 3 / 4),
    ],
)
def test_each_measure_is_that_of_the_numbers(facts, measure, value):
    assert measures()[measure](facts, "train", "small")[-1] == pytest.approx(value)
