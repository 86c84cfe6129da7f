"""Groups: runs are repeats of one configuration only if nothing but seeds tells them apart."""

import pytest

from trainer.comparison.comparison import compare


@pytest.fixture
def grouped(compared):
    return lambda **runs: [(group.name, group.size) for group in compared(**runs).groups]


def test_runs_that_differ_in_their_seeds_alone_are_one_group(grouped):
    found = grouped(a_0={}, b_0={"weight": 2.0}, a_1={"seed": 1}, a_2={"seed": 2}, b_1={"weight": 2.0, "seed": 4})
    assert found == [("a", "3 seeds: 0, 1, 2"), ("b", "2 seeds: 0, 4")]


def test_a_run_beside_groups_has_its_seed_told(grouped):
    assert grouped(a_0={}, a_1={"seed": 1}, b={"weight": 2.0, "seed": 7}) == [("a", "2 seeds: 0, 1"), ("b", "seed 7")]


def test_runs_of_one_seed_are_repeats_of_it_and_said_to_be(grouped):
    assert grouped(a_0={}, a_1={}) == [("a", "2 runs of one seed")]


def test_runs_of_one_seed_with_other_initial_weights_are_not_repeats_of_it(grouped):
    assert grouped(a={"initial": "w"}, b={"initial": "v"}, c={"initial": "w"}) == [
        ("a", "2 runs of one seed"),
        ("b", "1 run"),
    ]


def test_of_other_seeds_initial_weights_may_differ_but_not_within_one_seed(grouped):
    runs = {"a_0": (0, "w"), "a_1": (1, "v"), "b_1": (1, "u")}
    made = {name: {"seed": seed, "initial": weights} for name, (seed, weights) in runs.items()}
    assert grouped(**made) == [("a", "2 seeds: 0, 1"), ("b_1", "seed 1")]


def test_runs_of_earlier_versions_do_not_say_what_they_began_with_and_are_repeats_still(grouped):
    assert grouped(a_0={}, a_1={"initial": "w"}) == [("a", "2 runs of one seed")]


@pytest.mark.parametrize(
    "other",
    [
        {"Trainer": {"seed": "1", "optimizer": "SGD"}},
        {"training data": {"inputs": "digest b"}},
        {"Trainer.task = T": {"seeds_per_row": "3"}},
        {"Trainer.task = T": {"build_model()": "T.build_model (digest 1)"}},
    ],
    ids=["a setting", "data", "a name that contains seed", "code"],
)
def test_runs_that_differ_in_anything_else_are_not(grouped, other):
    base = {"Trainer.task = T": {"seeds_per_row": "2", "build_model()": "T.build_model (digest 0)"}}
    assert len(grouped(a={"settings": base}, b={"seed": 1, "settings": {**base, **other}})) == 2


def test_another_seed_of_a_task_whose_data_stay_the_same_is_a_seed(grouped):
    tasks = [{"Trainer.task = T": {"seed": str(seed)}} for seed in range(2)]
    assert grouped(a_0={"settings": tasks[0]}, a_1={"settings": tasks[1]}) == [("a", "2 seeds: 0, 1")]


def test_two_seeds_of_a_run_are_told_together(grouped):
    tasks = [{"Trainer.task = T": {"seed": str(seed)}} for seed in (5, 6)]
    found = grouped(a_0={"settings": tasks[0], "seed": 1}, a_1={"settings": tasks[1], "seed": 2})
    assert found == [("a", "2 seeds: 1/5, 2/6")]


def test_runs_whose_settings_are_not_recorded_stand_for_themselves(make_run):
    folders = [make_run(name, environment={"changeable": {"eval_every": "5"}}) for name in ("a", "b")]
    for folder in folders:
        (folder / "settings.json").unlink()
    assert len(compare(folders).groups) == 2


def test_groups_that_would_be_called_the_same_have_the_names_of_their_first_runs(grouped):
    found = grouped(a_0={}, a_1={"seed": 1}, a_2={"weight": 2.0}, a_3={"weight": 2.0, "seed": 1})
    assert [name for name, _ in found] == ["a_0", "a_2"]
