"""Explanations: each error of gin becomes a message that says what would have been right."""

import gin
import pytest

from objectives import ConfigurationError
from objectives.blame import shown_path
from trainer import config


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "ActivationPenalti.weight = 1",
            "there is no 'ActivationPenalti' to configure; did you mean 'ActivationPenalty'?",
        ),
        ("RangeHinge.wieght = 1", "RangeHinge has no 'wieght'; did you mean 'weight'?"),
        ("Objective.data = @RangeHing()", "there is no 'RangeHing' to configure; did you mean 'RangeHinge'?"),
        (
            "RangeHinge.weight = @schedules.Liner()",
            "there is no 'schedules.Liner' to configure; did you mean 'Linear'?",
        ),
        ("include 'gin_configs/baes.gin'", "gin_configs/baes.gin"),
        ("import no_such_module", "there is no module 'no_such_module'; looked for in "),
        ("ActivationPenalty.norm = l2", "write text in quotes ('l1')"),
        ("ActivationPenalty.weight = [1,", "a bracket or a quote is not closed"),
        ("ActivationPenalty.weight 1", "at 'ActivationPenalty.weight 1'"),
        ("Objective.my-term = @RangeHinge()", "'Objective.my-term' is no name to set; names consist of"),
        (
            "Objective.a/b = @RangeHinge()",
            "('/' stands between a scope and a class, as in my_scope/RangeHinge.weight)",
        ),
        ("Objective.2d = @RangeHinge()", "'Objective.2d' is no name to set"),
    ],
    ids=[
        "configurable",
        "parameter",
        "reference",
        "scoped reference",
        "include",
        "import",
        "unquoted",
        "bracket",
        "no =",
        "hyphen",
        "scope of a term",
        "digit",
    ],
)
def test_a_mistake_in_a_file_is_refused(file, text, answer):
    path = file(text)
    with pytest.raises(ConfigurationError) as error:
        config.load([path], [])
    (message,) = error.value.messages
    assert message.startswith(f"{shown_path(path)}, line 1: ")
    assert answer in message


@pytest.mark.parametrize(
    ("binding", "answer"),
    [
        ("PairwiseOverlp.weight = 1", "there is no 'PairwiseOverlp' to configure; did you mean 'PairwiseOverlap'?"),
        ("PairwiseOverlap.wait = 1", "PairwiseOverlap has no 'wait'"),
        ("Objective.smal = None", "there is no term 'smal' to drop; did you mean 'small'?"),
        ("objectives.Objective.dat = None", "there is no term 'dat' to drop; did you mean 'data'?"),
        ("ActivationPenalty.norm = l2", "'l2' is not a value; write text in quotes"),
        ("keras.optimizers.Adm.learning_rate = 1.0", "did you mean 'Adam'?"),
    ],
)
def test_a_mistake_in_a_binding_is_refused(file, binding, answer, plain):
    with pytest.raises(ConfigurationError) as error:
        config.load([file(plain)], [binding])
    (message,) = error.value.messages
    assert message.startswith(f"--gin_param={binding!r}: ")
    assert answer in message


def test_a_macro_without_a_value_is_refused_with_the_nearest_name(objective_of, file, plain):
    with pytest.raises(ConfigurationError, match="the macro %wieght has no value; did you mean 'weight'?"):
        objective_of(file(plain + "weight = 0.5\nActivationPenalty.weight = %wieght"))


@gin.register(module="tests")
def saw(step):
    return step


def test_a_function_that_is_called_where_it_is_meant_itself_is_refused(objective_of, file, plain):
    expected = "expected @saw without brackets, which is the function itself, or a line such as saw.step = "
    with pytest.raises(ConfigurationError, match=f"line 6: saw needs a value for 'step'; {expected}"):
        objective_of(file(plain + "MeanSquaredError.weight = @saw()"))
