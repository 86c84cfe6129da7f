"""Comparison: means, spreads, changes and the best of several runs are the numbers of their files."""

import math

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer.comparison.comparison import compare
from trainer.comparison.table import table_of


@pytest.fixture
def seeds(compared):
    """Three seeds of each of two configurations, of which the second is better in `data` and unclear in `small`."""
    runs = {}
    for seed in range(3):
        runs[f"a_{seed}"] = {"seed": seed, "data": 4.0 + 0.1 * seed, "small": 1.0 + seed}
        runs[f"b_{seed}"] = {"seed": seed, "data": 2.0 + 0.1 * seed, "small": 1.1 + seed, "weight": 2.0}
    return compared(**runs)


@pytest.fixture
def found(seeds):
    return {quantity.tag: quantity for quantity in seeds.quantities}


def test_a_group_has_the_mean_and_the_standard_deviation_of_its_runs(seeds, found):
    statistic = seeds.statistic(seeds.groups[0], found["terms/data/raw"])
    values = [4.0, 4.1, 4.2]
    assert (statistic.mean, statistic.deviation, statistic.count) == pytest.approx(
        (np.mean(values), np.std(values, ddof=1), 3)
    )


def test_a_change_is_that_of_the_means_and_clear_beyond_the_spread_alone(seeds, found):
    change = seeds.change(seeds.groups[1], found["terms/data/raw"])
    assert (change.absolute, change.relative) == pytest.approx((-2.0, 2.1 / 4.1 - 1))
    assert change.is_clear
    assert not seeds.change(seeds.groups[1], found["terms/small/raw"]).is_clear
    assert seeds.change(seeds.groups[0], found["terms/data/raw"]) is None


def test_the_best_is_told_where_it_is_clear_and_alike(seeds, found):
    assert seeds.best(found["terms/data/raw"]) is seeds.groups[1]
    assert seeds.best(found["terms/small/raw"]) is None
    assert seeds.best(found["loss/total"]) is None


def test_a_value_that_is_not_finite_has_no_change_and_is_never_the_best(compared):
    comparison = compared(a={}, b={"data": math.nan, "weight": 2.0}, c={"data": 0.5, "weight": 3.0})
    (data,) = [one for one in comparison.quantities if one.tag == "terms/data/raw"]
    assert math.isnan(comparison.statistic(comparison.groups[1], data).mean)
    assert comparison.change(comparison.groups[1], data) is None
    assert comparison.best(data) is comparison.groups[2]


@pytest.mark.parametrize(
    ("first", "second", "relative"), [(0.0, 1.0, None), (-1.0, 1.0, None), (-1.0, -1.5, None), (2.0, 1.0, -0.5)]
)
def test_a_change_has_a_percentage_where_both_values_are_above_0_alone(compared, first, second, relative):
    comparison = compared(a={"data": first}, b={"data": second, "weight": 2.0})
    (data,) = [one for one in comparison.quantities if one.tag == "terms/data/raw"]
    assert comparison.change(comparison.groups[1], data).relative == relative


def test_without_evaluations_the_last_records_of_training_are_compared_and_never_mixed_with_them(compared):
    assert compared(a={"split": "train"}, b={"split": "train", "weight": 2.0}).split == "train"
    comparison = compared(c={"split": "train"}, d={"weight": 2.0})
    assert comparison.split == "eval"
    assert comparison.records[0] is None


def test_all_folders_without_a_run_are_named(tmp_path):
    with pytest.raises(ConfigurationError) as error:
        compare([tmp_path / "x", tmp_path / "y"])
    assert [message.split("'")[1][-1] for message in error.value.messages] == ["x", "y"]


def test_folders_without_a_run_are_left_out_and_repeated_ones_counted_once_which_is_said(tmp_path, make_run):
    one = make_run("a")
    comparison = compare([one, tmp_path / "x", one / ".." / "a", make_run("b", weight=2.0)])
    assert comparison.names == ["a", "b"]
    repeated, missing = comparison.remarks
    assert repeated == f"{str(one)!r} was given 2 times and is compared once"
    assert missing.startswith(f"left out: {str(tmp_path / 'x')!r} contains no run")
    assert [*table_of(comparison).notes][:2] == [repeated, missing]


def test_of_a_folder_of_runs_it_is_said_how_to_name_them(tmp_path, make_run):
    make_run("a")
    with pytest.raises(ConfigurationError, match=r"contains no run; .*, such as those in '.*/\*'"):
        compare([tmp_path])


def test_seeds_are_no_setting_of_groups_but_are_where_each_run_stands_for_itself(seeds, compared):
    assert [setting.name for setting in seeds.settings_of_groups] == ["small.weight"]
    lone = compared(one={}, other={"seed": 1, "weight": 2.0})
    assert [setting.name for setting in lone.settings_of_groups] == ["small.weight", "Trainer.seed"]


def test_runs_with_checkpoints_have_their_records_too(compared):
    (run,) = compared(a={"split": "train", "evaluated": {"evaluation data": "x"}}).runs
    assert (run.last().step, run.evaluated) == (10, {"evaluation data": "x"})
