"""Parameters that gin passes to a function are settings of their own: each change is shown by its name."""

import gin
import pytest

from objectives import MeanSquaredError, Objective
from trainer.feeds.gin_functions import opened
from trainer.settings.changes import describe, differences

PLAIN = "Objective.data = @MeanSquaredError()\nMeanSquaredError.weight = "


@gin.register(module="tests")
def peak(step, height=0.5, inner=None, **others):
    return height


@gin.register(module="tests")
def distance(y_true, y_pred, power=2):
    return abs(y_true - y_pred) ** power


@pytest.fixture
def described():
    """The settings of an objective by the text of its gin file."""

    def build(text):
        gin.clear_config()
        gin.parse_config(text)
        return describe({"objective": gin.get_configurable(Objective)()})

    return build


CHANGES = {
    "another value": (
        "@peak\npeak.height = 0.9",
        "@peak\npeak.height = 0.2",
        ["peak.height (Objective.data.weight): 0.9 -> 0.2"],
    ),
    "a value instead of the default": (
        "@peak",
        "@peak\npeak.height = 0.2",
        ["peak.height (Objective.data.weight): 0.5 -> 0.2"],
    ),
    "the default as a value": ("@peak", "@peak\npeak.height = 0.5", []),
    "a parameter that is not named": (
        "@peak",
        "@peak\npeak.width = 3",
        ["peak.width (Objective.data.weight): nothing -> 3"],
    ),
    "a value in a scope": (
        "@a/peak\na/peak.height = 0.9",
        "@a/peak\na/peak.height = 0.2",
        ["peak.height (Objective.data.weight): 0.9 -> 0.2"],
    ),
    "another scope": (
        "@a/peak\na/peak.height = 0.9\nb/peak.height = 0.2",
        "@b/peak\na/peak.height = 0.9\nb/peak.height = 0.2",
        ["peak.height (Objective.data.weight): 0.9 -> 0.2"],
    ),
    "a value in a scope of others": ("@a/peak\nb/peak.height = 0.9", "@a/peak\nb/peak.height = 0.2", []),
    "an object": (
        "@peak\npeak.inner = @Linear()\nLinear.steps = 3",
        "@peak\npeak.inner = @Linear()\nLinear.steps = 4",
        ["Linear.steps (Objective.data.weight.inner): 3 -> 4"],
    ),
    "a function within, which is called in the scope": (
        "@a/peak\na/peak.inner = @distance\na/distance.power = 3",
        "@a/peak\na/peak.inner = @distance\na/distance.power = 4",
        ["distance.power (Objective.data.weight.inner): 3 -> 4"],
    ),
    "something else": ("@peak\nAdam.learning_rate = 0.1", "@peak\nAdam.learning_rate = 0.2", []),
    "a function of a term": (
        "1.0\nObjective.data = @FunctionTerm()\nFunctionTerm.fn = @distance\ndistance.power = 2",
        "1.0\nObjective.data = @FunctionTerm()\nFunctionTerm.fn = @distance\ndistance.power = 3",
        ["distance.power (Objective.data.fn): 2 -> 3"],
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_parameter_is_shown_by_its_name(described, what):
    was, now, lines = CHANGES[what]
    assert differences(described(PLAIN + was), described(PLAIN + now)) == lines


def test_a_function_that_gin_did_not_know_and_passes_parameters_to_now_has_changed(described):
    with opened(gin.get_configurable("tests.peak")) as (function, _):
        plain = describe({"objective": Objective(data=MeanSquaredError(weight=function))})
    lines = differences(plain, described(PLAIN + "@peak\npeak.height = 0.9"))
    assert "peak.height (Objective.data.weight): nothing -> 0.9" in lines
