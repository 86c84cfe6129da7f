"""Mistakes: a failed import is one, and names that its module might have defined are no others."""

import pytest

from objectives import ConfigurationError
from trainer import config

NAMES = """
import {module}
Trainer.stops = 3
MyTerm.weight = 0.5
Objective.mine = @MyTerm()
RangeHinge.weight = @my_schedule
"""


@pytest.mark.parametrize(
    ("module", "answer"),
    [
        ("termwise_nowhere", "there is no module 'termwise_nowhere'"),
        ("json", "the name 'json' is taken by a module of Python"),
        ("termwise_bad", "termwise_bad.py, line 1: ZeroDivisionError"),
    ],
)
def test_names_that_a_failed_import_might_have_defined_are_no_further_mistakes(file, module, answer):
    file("MINE = True", "json.py"), file("1 / 0", "termwise_bad.py")
    with pytest.raises(ConfigurationError) as error:
        config.load([file(NAMES.format(module=module))], ["Objective.mine = None", "Other.weight = 2"])
    of_import, of_parameter = error.value.messages
    assert answer in of_import
    assert "line 3: Trainer has no 'stops'" in of_parameter


def test_unknown_names_are_mistakes_where_every_module_was_imported(file):
    with pytest.raises(ConfigurationError) as error:
        config.load([file(NAMES.format(module="math"))], [])
    assert [message.partition(", ")[2][:6] for message in error.value.messages] == [f"line {n}" for n in (3, 4, 5, 6)]
