"""Recorded settings: they have the same names and texts, whatever records them."""

import json

import pytest

from objectives import ConfigurationError
from trainer.comparison.comparison import compare


def test_a_scheduled_weight_is_told_with_the_settings_of_its_schedule(told):
    scheduled = {
        "Objective.small = RangeHinge": {"weight": "Linear", "margin": "1.0"},
        "Objective.small.weight = Linear": {"first": "0", "last": "4"},
    }
    assert told(a={}, b={"settings": scheduled}) == {"small.weight": ["0.5", "Linear(first=0, last=4)"]}


def test_code_is_told_by_its_digest(told):
    code = {name: {"Trainer.task = T": {"measure()": f"T.measure (digest {name}1)"}} for name in "ab"}
    found = told(**{name: {"settings": own} for name, own in code.items()})
    assert found == {"code of Trainer.task.measure()": ["a1", "b1"]}


def test_steps_packages_and_evaluation_data_are_told(told):
    found = told(
        a={"environment": {"packages": {"keras": "3.15"}}, "evaluated": {"evaluation data": "x", "objective": "o"}},
        b={"environment": {"packages": {"keras": "3.16"}}, "evaluated": {"evaluation data": "y"}, "steps": 20},
    )
    assert found == {
        "Trainer.steps": ["10", "20"],
        "evaluation data": ["x", "y"],
        "version of keras": ["3.15", "3.16"],
    }


def test_settings_that_may_change_when_a_run_resumes_are_those_of_gin(make_run):
    found = {}
    for name, every in (("a", 5), ("b", "%EVERY")):
        folder = make_run(f"gin/{name}")
        (folder / "operative_config.gin").write_text(
            f"EVERY = %OTHER\nOTHER = 7\nTrainer.eval_every = {every}\nTrainer.workdir = '{name}'\n"
        )
        found[name] = folder
    differing = compare([*found.values()]).differing
    assert {setting.name: texts for setting, texts in differing.items()} == {"Trainer.eval_every": ["5", "7"]}


def test_those_of_a_run_made_in_python_are_recorded_and_runs_of_earlier_versions_lack_nothing(make_run):
    own = {name: {"changeable": {"non_finite": f"'{name}'", "steps": "7"}} for name in ("raise", "skip")}
    before, *runs = [make_run("before"), *(make_run(name, environment=one) for name, one in own.items())]
    told = {setting.name: texts for setting, texts in compare(runs).differing.items()}
    assert told == {"Trainer.non_finite": ["'raise'", "'skip'"]}
    assert compare([before, runs[0]]).differing == {}


def test_without_the_record_of_termwise_those_of_gin_are_compared(make_run):
    folders = [make_run(name) for name in "ab"]
    for folder, weight in zip(folders, (1, 2), strict=True):
        (folder / "operative_config.gin").write_text(f"RangeHinge.weight = {weight}\nAdam.beta_1 = 0.9\n")
    (folders[0] / "settings.json").unlink()
    differing = compare(folders).differing
    assert {setting.name: texts for setting, texts in differing.items()} == {"RangeHinge.weight": ["1", "2"]}


def test_a_damaged_record_is_refused(make_run):
    folder = make_run("a")
    (folder / "settings.json").write_text(json.dumps([]))
    with pytest.raises(ConfigurationError, match="is damaged"):
        compare([folder])
