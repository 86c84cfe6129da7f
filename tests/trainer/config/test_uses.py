"""Uses: a binding that nothing uses is a mistake, unless its file is there for other runs too."""

import dataclasses

import gin
import pytest

from objectives import ConfigurationError, Objective
from objectives.blame import shown_path
from objectives.fields import NOT_CONFIGURABLE
from trainer import config


@pytest.mark.parametrize(
    ("binding", "answer"),
    [
        ("RangeHinge.weight = 2", "nothing in this run uses RangeHinge"),
        ("far/ActivationPenalty.weight = 2", "nothing in this run uses far/ActivationPenalty"),
    ],
)
def test_a_binding_that_nothing_uses_is_refused(objective_of, file, binding, answer, plain):
    with pytest.raises(ConfigurationError, match=answer) as error:
        objective_of(file(plain), bindings=[binding])
    assert str(error.value).startswith(f"--gin_param={binding!r}: ")


@gin.register(module="uses")
@dataclasses.dataclass
class Partly:
    """Has a field that whoever makes it gives, and a setting."""

    inside: int = dataclasses.field(default=1, metadata={NOT_CONFIGURABLE: True})
    width: int = 2


@pytest.mark.parametrize(
    ("binding", "answer"),
    [
        ("Partly.inside = 3", "Partly has no 'inside' to set, as the trainer gives it; known: width"),
        ("Partly.wdth = 3", r"Partly has no 'wdth'; did you mean 'width'\? \(known: width\)"),
    ],
)
def test_a_field_that_is_no_setting_cannot_be_bound(binding, answer):
    with pytest.raises(ConfigurationError, match=answer):
        config.load([], [binding])
        config.build(gin.get_configurable(Partly))


def test_a_binding_in_an_included_file_may_be_there_for_another_run(objective_of, file, plain):
    file("RangeHinge.weight = 2\nfar/ActivationPenalty.norm = 'l2'\nIDLE = 3", "shared.gin")
    assert list(objective_of(file("include 'shared.gin'" + plain)).terms) == ["data", "small"]


@pytest.mark.parametrize("text", ["RangeHinge.weight = 2", "far/ActivationPenalty.weight = 2"])
def test_a_binding_in_a_file_that_nothing_refers_to_is_refused(objective_of, file, text, plain):
    with pytest.raises(ConfigurationError, match=r"run.gin, line 6: nothing in this run uses (RangeH|far/Act)"):
        objective_of(file(plain + text))


def test_a_binding_in_a_file_may_be_of_a_term_that_a_later_one_drops(objective_of, file, plain):
    assert list(objective_of(file(plain), bindings=["Objective.small = None"]).terms) == ["data"]


def test_a_macro_that_nothing_uses_is_refused_with_the_nearest_name(file):
    with pytest.raises(ConfigurationError) as error:
        config.load([file("Trainer.steps = %STEPS\nSTEPS = 3\nSTEP = 7")], ["IDLE = 1"])
    assert error.value.messages == (
        f"{shown_path(file('', 'other.gin')).replace('other', 'run')}, line 3: nothing uses the macro STEP; "
        "did you mean 'STEPS'? (known: STEPS)",
        "--gin_param='IDLE = 1': nothing uses the macro IDLE; known: STEPS",
    )


def test_a_macro_of_an_included_file_may_be_there_for_another_run(file):
    file("IDLE = 3\nSTEPS = %MANY\nMANY = 9", "shared.gin")
    config.load([file("include 'shared.gin'\nTrainer.steps = %STEPS")], [])
    assert "IDLE" not in gin.config_str()  # nor is it in the record of the run
    assert config.bound("Trainer.steps", 0) == 9


def test_a_macro_that_a_later_binding_makes_idle_is_no_mistake_and_leaves_the_record(file):
    config.load([file("Trainer.steps = %STEPS\nSTEPS = %MANY\nMANY = 9")], ["Trainer.steps = 4"])
    assert "STEPS" not in gin.config_str()
    assert "MANY" not in gin.config_str()


def test_what_the_caller_sets_itself_has_no_place_in_gin(file, plain):
    config.load([file(plain + "Objective.extra = @RangeHinge()")], [])
    with pytest.raises(ConfigurationError, match=r"line 6: Objective.extra has no effect in a gin file"):
        config.build(gin.get_configurable(Objective), extra=None)
