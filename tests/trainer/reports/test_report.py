"""The interface: everything has a default."""

import pytest

from objectives import ConfigurationError
from trainer.reports import Report, Run
from trainer.reports.report import refuse_silent


def test_a_report_need_not_answer_to_everything(run, train_line):
    silent = Report()
    answers = [silent.start(run()), silent.write(train_line(1)), silent.advance(1, 1.0), silent.flush(), silent.close()]
    assert answers == [None] * 5


class Misspelt(Report):
    """Writes under a name that nobody calls."""

    def writes(self, records):
        """Does not matter."""


class Empty(Report):
    """Does nothing at all."""


def test_a_report_that_defines_none_of_the_methods_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigurationError) as error:
        refuse_silent([Misspelt(), Empty()])
    known = "(known: start, write, advance, picture, note, flush, end, close)"
    assert error.value.messages == (
        f"Trainer.reports holds an object of Misspelt, which defines no method that is called; did you mean 'write' by "
        f"'writes'? {known}",
        f"Trainer.reports holds an object of Empty, which defines no method that is called; {known}",
    )


@pytest.mark.parametrize("method", ["start", "write", "advance", "note", "flush", "close"])
def test_one_method_is_enough_wherever_it_is_defined(method):
    inherits = type("Inherits", (type("Base", (Report,), {method: lambda self, *given: None}),), {})
    own = Empty()
    setattr(own, method, lambda *given: None)
    refuse_silent([inherits(), own])


def test_a_folder_of_its_own_comes_before_that_of_the_run(tmp_path):
    run = Run(terms=(), steps=1, workdir=tmp_path / "run")
    assert run.folder(None, "Mine") == tmp_path / "run"
    assert run.folder(str(tmp_path / "own"), "Mine") == tmp_path / "own"
    with pytest.raises(
        ConfigurationError, match=r"Mine has no folder to write to; expected Mine\.folder, or a workdir"
    ):
        Run(terms=(), steps=1).folder(None, "Mine")
