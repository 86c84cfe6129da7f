"""At work: a method runs with the model under the strategy, and gives back what it returns or raises."""

import pytest

from trainer.executions.at_work import at_work


class Working:
    def __init__(self, step):
        self.step = step

    @at_work
    def look(self, *given, fails=False):
        """Looks."""
        if fails:
            raise LookupError("nothing is there")
        return self.step.adoption.is_at_work, given


def test_a_method_runs_with_the_model_under_the_strategy_and_leaves_it_as_it_was(make_program):
    step = make_program().step
    working = Working(step)
    assert working.look(1, 2) == (True, (1, 2))
    assert not step.adoption.is_at_work
    with pytest.raises(LookupError):
        working.look(fails=True)
    assert not step.adoption.is_at_work


def test_inside_of_another_the_model_stays_under_the_strategy(make_program):
    step = make_program().step
    with step.adoption.at_work():
        Working(step).look()
        assert step.adoption.is_at_work


def test_the_method_keeps_its_name_and_its_docstring():
    assert (Working.look.__name__, Working.look.__doc__) == ("look", "Looks.")
