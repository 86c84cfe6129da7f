"""Deferred: a parameter of a function that is given without a call has an effect once the function is called."""

import gin
import pytest

from objectives import ConfigurationError


@gin.register(module="tests")
def hill(step, height=0.5, inner=None):
    return height


@gin.register(module="tests")
def valley(step, depth=0.5):
    return depth


@pytest.mark.parametrize(
    ("text", "binding"),
    [
        ("MeanSquaredError.weight = @hill", "hill.height = 0.9"),
        ("MeanSquaredError.weight = @a/hill", "hill.height = 0.9"),
        ("MeanSquaredError.weight = @a/hill", "a/hill.height = 0.9"),
        ("MeanSquaredError.weight = %WEIGHT\nWEIGHT = @hill", "hill.height = 0.9"),
        ("MeanSquaredError.weight = @hill\nhill.inner = @valley", "valley.depth = 0.9"),
        ("MeanSquaredError.weight = @hill\nhill.inner = @Linear()", "Linear.steps = 9"),
        ("MeanSquaredError.weight = @hill\nhill.height = %HEIGHT\nHEIGHT = 0.1", "HEIGHT = 0.9"),
    ],
)
def test_a_parameter_of_a_function_that_is_called_later_is_used(objective_of, file, plain, text, binding):
    assert callable(objective_of(file(plain + text), bindings=[binding]).terms["data"].weight)


@pytest.mark.parametrize(
    ("text", "binding", "answer"),
    [
        ("MeanSquaredError.weight = @a/hill", "b/hill.height = 0.9", "nothing in this run uses b/hill; did you mean"),
        ("MeanSquaredError.weight = @hill", "valley.depth = 0.9", "nothing in this run uses valley; "),
        ("MeanSquaredError.weight = @hill", "hill.step = 3", "hill.step has no effect, as what calls hill passes it"),
        ("RangeHinge.weight = @hill", "hill.height = 3", "nothing in this run uses hill; "),
    ],
)
def test_a_parameter_of_a_function_that_nothing_calls_is_refused(objective_of, file, plain, text, binding, answer):
    with pytest.raises(ConfigurationError) as error:
        objective_of(file(plain + text), bindings=[binding])
    assert answer in str(error.value)
