"""The term that a command is given: by its name, or by its module in the working directory."""

import sys

import pytest

from objectives import ConfigurationError, RangeHinge
from termwise.cli.named_term import find_module, term_class

PLAIN = """
from objectives import RangeHinge

class Narrow(RangeHinge):
    pass
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


@pytest.mark.parametrize("name", ["RangeHinge", "objectives.RangeHinge"])
def test_a_registered_term_is_made_by_gin(name):
    find_module(name)
    assert term_class(name)() == RangeHinge()


def test_a_module_is_found_in_the_working_directory_and_its_term_need_not_be_registered(here):
    (here / "terms_of_a_test.py").write_text(PLAIN)
    find_module("terms_of_a_test.Narrow")
    assert term_class("terms_of_a_test.Narrow").__name__ == "Narrow"


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told(here, content, answer):
    module = f"broken_{len(content)}"
    (here / f"{module}.py").write_text(content)
    with pytest.raises(ConfigurationError, match=answer):
        find_module(f"{module}.Narrow")


@pytest.mark.parametrize("name", ["RangeHing", "objectives.RangeHing", "nowhere.RangeHing"])
def test_an_unknown_term_is_told_with_the_nearest(name):
    find_module(name)
    with pytest.raises(ConfigurationError, match=f"there is no term '{name}'"):
        term_class(name)
