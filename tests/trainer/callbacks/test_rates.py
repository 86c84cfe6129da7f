"""Rates: what callbacks have set is told by group, and only where it differs."""

import keras
import pytest

from objectives import ConfigurationError
from trainer.callbacks.rates import describe_changes, rates_of, refuse_wrong_rates
from trainer.steps.groups import Group


def group(name, rate):
    return Group(name=name, optimizer=keras.optimizers.SGD(rate), variables=())


def test_only_the_groups_whose_rate_has_changed_are_told():
    groups = [group("encoder", 0.01), group("head", 0.1), group("rest", 0.5)]
    before = rates_of(groups)
    assert before == pytest.approx(
        {f"optimizer/{one.name}/learning_rate": rate for one, rate in zip(groups, (0.01, 0.1, 0.5), strict=True)}
    )
    assert describe_changes(groups, before) == ""
    groups[0].optimizer.learning_rate, groups[2].optimizer.learning_rate = 0.001, 1.0
    assert describe_changes(groups, before) == "encoder 0.01 -> 0.001, rest 0.5 -> 1"


def test_the_only_optimizer_has_no_name_and_one_with_a_schedule_no_rate_to_set():
    only = [group(None, 0.1)]
    before = rates_of(only)
    only[0].optimizer.learning_rate = 0.05
    assert describe_changes(only, before) == "0.1 -> 0.05"
    only[0].optimizer.learning_rate = -0.5
    with pytest.raises(ConfigurationError, match="which Plateau.on_epoch_end has set, is -0.5"):
        refuse_wrong_rates(only, "Plateau.on_epoch_end")
    refuse_wrong_rates([group(None, keras.optimizers.schedules.CosineDecay(0.1, 10))], "Plateau.on_epoch_end")
