"""Figures: numbers, times and names take no more columns than they may."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.reports.terminal import figures


@given(st.floats(width=32))
def test_numbers_take_no_more_columns_than_they_may_and_say_what_they_are(value):
    for text, columns, digits in ((figures.compact(value), 7, 0.06), (figures.precise(value), 9, 0.006)):
        assert len(text) <= columns
        if text == "-0" or not math.isfinite(value):
            assert float(text) == value or math.isnan(value)
        elif abs(value) < 1e-3 and value < 0 and columns == 7:
            assert float(text) == pytest.approx(value, rel=0.5)  # one digit beside sign and exponent
        else:
            assert float(text) == pytest.approx(value, rel=0.5 if value < 0 else digits)


@pytest.mark.parametrize("width", [6, 9, 16])
def test_names_stay_different_where_they_are_cut(width):
    names = ("data", *(f"layer_{i}_regularization_of_activations" for i in range(3)), "x" * 40)
    found = figures.shortened(names, width)
    assert all(len(name) <= width for name in found)
    assert found[0] == "data"
    assert len({*found}) == len(names) or width == 6


def test_names_that_differ_in_the_middle_alone_stay_different_beside_others():
    names = [f"{what}_of_the_{where}_side_of_the_ventricle" for what in ("overlap", "smoothness") for where in "ab"]
    found = figures.shortened(("data", *names), 9)
    assert found == ["data", "ove…a_si…", "ove…b_si…", "smo…a_si…", "smo…b_si…"]


def test_a_run_is_complete_only_at_its_end():
    assert [figures.percent(step, 1_000_000) for step in (0, 999_999, 1_000_000)] == [0, 99, 100]
    assert figures.percent(0, 0) == 100


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_a_speed_that_is_none_is_a_dash(rate):
    assert figures.speed(rate) == "- steps/s"
