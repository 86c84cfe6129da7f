"""Optimizer groups, as a user names them: names, and what is refused before a model is looked at."""

import keras
import pytest

from objectives import ConfigurationError
from trainer import OptimizerGroup
from trainer.steps.optimizer_groups import optimizers_by_name


def group(variables=None, optimizer=None, **more):
    return OptimizerGroup(optimizer=optimizer or keras.optimizers.SGD(0.1), variables=variables, **more)


@pytest.mark.parametrize(
    ("variables", "name"),
    [("encoder/.*", "encoder"), ("(stem|head)/.*", "stem_head"), (".*/bias", "bias"), (".*", "all"), (None, "rest")],
)
def test_a_group_is_named_after_its_pattern(variables, name):
    assert group(variables).name == name
    assert group(variables, name="slow").name == "slow"


def test_a_name_fits_into_a_tag_and_a_pattern_compiles():
    with pytest.raises(ConfigurationError, match=r"(?s)variables is '\(head'; expected a regular.*name is 'a/b'; exp"):
        group("(head", name="a/b")


def test_an_optimizer_or_groups_are_given_and_never_both(make_trainer):
    for more in ({"optimizers": [group()]}, {"optimizer": None}):
        with pytest.raises(ConfigurationError, match=r"Trainer has (n?either|both) .*; expected one of them"):
            make_trainer(**more)


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        (lambda: [group("a/.*"), group("a/.+")], "several groups are named 'a'; expected OptimizerGroup\\(name="),
        (lambda: [group(), group(name="others")], "the groups 'rest' and 'others' have no `variables`"),
        (lambda: [group("a", one := keras.optimizers.SGD()), group("b", one)], "'a' and 'b' have the same optimizer"),
    ],
)
def test_groups_share_no_name_no_optimizer_and_no_rest(groups, found):
    with pytest.raises(ConfigurationError, match=f"^Trainer.optimizers: .*{found}"):
        optimizers_by_name(None, groups())


def test_a_wrong_learning_rate_is_that_of_its_group(make_trainer):
    wrong = keras.optimizers.SGD(-0.1)
    with pytest.raises(ConfigurationError, match="the learning rate of Trainer.optimizers, group 'head', is -0.1"):
        make_trainer(optimizer=None, optimizers=[group("head/.*", wrong), group()])
