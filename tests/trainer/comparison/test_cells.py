"""Cells: a value has its spread, its change and its marks, none of which contradicts another."""

import pytest

from trainer.comparison.cells import cells_of


@pytest.fixture
def cells(compared):
    """The cells of a quantity, a group of some runs each, with their marks, as text."""

    def make(name, **runs):
        comparison = compared(**runs)
        (quantity,) = [one for one in comparison.quantities if one.name == name]
        found = cells_of(comparison, quantity)
        return [" ".join(filter(None, [one.text, "★" * one.is_best, one.change])) for one in found]

    return make


@pytest.mark.parametrize(
    ("first", "other", "text"),
    [
        (2.0, 1.0, "1 ★ ↓ -50.0%"),
        (2.0, 3.0, "3 ↑ +50.0%"),
        (1.0, 20.0, "20 ↑ x20"),
        (20.0, 1.0, "1 ★ ↓ -95.0%"),
        (1.0, 1.00001, "1"),
        (1.0, 0.99999, "1"),
        (1.0, 1.0, "1 ="),
    ],
)
def test_the_sign_of_a_change_is_that_of_its_arrow_and_what_the_digits_do_not_show_has_no_mark(
    cells, first, other, text
):
    runs = {"a": {"data": first}, "b": {"data": other, "settings": {"training data": {"inputs": "digest b"}}}}
    assert cells("data", **runs)[1] == text


@pytest.mark.parametrize(
    ("first", "other", "text"), [(-0.08, -0.3, "-0.3 ↓ -0.22"), (-2.0, 1.0, "1 ↑ +3"), (2.0, -1.0, "-1 ↓ -3")]
)
def test_a_term_with_values_below_0_has_no_best_one_and_changes_by_a_difference(compared, first, other, text):
    comparison = compared(a={"data": first}, b={"data": other, "settings": {"training data": {"inputs": "digest b"}}})
    (quantity,) = [one for one in comparison.quantities if one.name == "data"]
    found = cells_of(comparison, quantity)
    assert [(one.is_best, one.verdict) for one in found] == [(False, 0)] * 2
    assert f"{found[1].text} {found[1].change}" == text


@pytest.mark.parametrize(
    ("name", "more"),
    [("auc", {"metrics/auc": 0.75}), ("extra", {"terms/extra/weighted": 1.0, "terms/extra/raw": 0.75})],
)
def test_a_value_that_only_some_runs_have_is_absent_in_the_others(cells, name, more):
    assert cells(name, a={}, b={"weight": 2.0, **more}) == ["—", "0.75"]


def test_a_group_has_its_mean_with_the_spread_and_a_change_within_that_is_unclear(cells):
    runs = {"a_0": {"data": 1.0}, "a_1": {"data": 2.0, "seed": 1}, "b": {"data": 1.25, "weight": 2.0}}
    assert cells("data", **runs) == ["1.5 ± 0.71", "1.25 ≈ -16.7%"]


def test_a_group_of_which_some_runs_lack_a_value_says_of_how_many_it_is(cells):
    assert cells("auc", a_0={}, a_1={"seed": 1, "metrics/auc": 0.75}) == ["0.75 (1 of 2)"]
