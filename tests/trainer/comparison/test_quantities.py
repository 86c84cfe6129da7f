"""Quantities: which values stand for the same thing in two runs, and in which direction they are better."""

import pytest


@pytest.fixture
def signs(compared):
    return lambda **runs: {one.tag: one.sign for one in compared(**runs).quantities}


@pytest.fixture
def obstacle(compared):
    """Why a value of two runs is not of the same quantity."""

    def find(tag, **runs):
        comparison = compared(**runs)
        (quantity,) = [one for one in comparison.quantities if one.tag == tag]
        return comparison.obstacle(*comparison.groups, quantity)

    return find


def test_the_total_and_raw_terms_are_better_if_lower_but_not_one_of_negative_weight(signs):
    assert signs(a={}, b={"seed": 3}) == {"loss/total": -1, "terms/data/raw": -1, "terms/small/raw": -1}
    assert signs(c={}, d={"weight": -0.5})["terms/small/raw"] == 0


def test_of_a_term_that_no_run_optimises_no_direction_is_known(signs):
    assert signs(a={"weight": 0.0}, b={"weight": 0.0, "seed": 1})["terms/small/raw"] == 0
    assert signs(c={"weight": 0.0}, d={"weight": 0.5})["terms/small/raw"] == -1


def test_of_a_term_with_a_value_below_0_no_direction_is_known_but_of_the_total(signs):
    found = signs(a={"data": -3.0}, b={"data": 1.0, "seed": 1})
    assert found == {"loss/total": -1, "terms/data/raw": 0, "terms/small/raw": -1}


@pytest.mark.parametrize(
    ("environment", "sign"),
    [
        ({}, 0),
        ({"directions": {"metrics/auc": "max"}}, 1),
        ({"directions": {"metrics/auc": "min"}}, -1),
        ({"best": "-metrics/auc/cat"}, 1),
        ({"best": "metrics/auc/cat"}, -1),
        ({"directions": {"metrics/auc": "max"}, "best": "metrics/auc/cat"}, 0),
        ({"directions": {"metrics/au": "max"}}, 0),
    ],
)
def test_a_metric_is_better_in_the_direction_that_a_run_tells(signs, environment, sign):
    more = {"metrics/auc/cat": 0.5, "environment": environment}
    assert signs(a=more, b={"weight": 2.0})["metrics/auc/cat"] == sign


@pytest.mark.parametrize(("way", "sign"), [("max", 1), ("min", -1), (None, 0)])
def test_a_measure_is_better_in_the_direction_that_its_task_tells(signs, way, sign):
    told = {"directions": {"measures/error": way} if way else {}}
    found = signs(a={"learned": {"error": 2.0}, "environment": told}, b={"learned": {"error": 3.0}, "weight": 2.0})
    assert found["measures/error"] == sign


def test_totals_of_other_weights_are_not_alike_but_raw_terms_are(obstacle):
    runs = {"weight": {"a": {}, "b": {"weight": 2.0}}}["weight"]
    assert obstacle("loss/total", **runs) == "another objective"
    assert obstacle("terms/small/raw", **{f"other_{name}": own for name, own in runs.items()}) is None


def test_raw_values_of_other_settings_of_a_term_are_not_alike(obstacle):
    margin = {"settings": {"Objective.small = RangeHinge": {"weight": "0.5", "margin": "2"}}}
    assert obstacle("terms/small/raw", a={}, b=margin) == "other settings of the term"
    assert obstacle("terms/data/raw", c={}, d=margin) is None


def test_values_on_other_evaluation_data_or_of_another_metric_are_not_alike(obstacle):
    data = [{"evaluated": {"evaluation data": name, "metrics/auc": "1"}, "metrics/auc": 0.5} for name in "xy"]
    assert obstacle("terms/data/raw", a=data[0], b=data[1]) == "other evaluation data"
    metrics = [{"evaluated": {"evaluation data": "x", "metrics/auc": name}, "metrics/auc": 0.5} for name in "12"]
    assert obstacle("metrics/auc", c=metrics[0], d=metrics[1]) == "another metric 'auc'"
    assert obstacle("terms/data/raw", e=metrics[0], f=metrics[1]) is None


def test_measures_of_other_code_are_not_alike(obstacle):
    runs = {
        name: {"learned": {"error": 1.0}, "settings": {"Trainer.task = T": {"measure()": f"T.measure (digest {name})"}}}
        for name in "ab"
    }
    assert obstacle("measures/error", **runs) == "measured by other code"


def test_totals_at_other_weights_of_one_schedule_are_not_alike(obstacle):
    settings = {"Objective.small = RangeHinge": {"weight": "Linear", "margin": "1.0"}, "Trainer": {"rate": "1"}}
    other = {**settings, "Trainer": {"rate": "2"}}
    runs = {"a": {"settings": settings, "weight": 0.5}, "b": {"settings": other, "weight": 0.75}}
    assert obstacle("loss/total", **runs) == "other weights"
