"""scripts/catalogue.py: every term, schedule and task, with lines that gin takes."""

import re

import gin
import pytest

from objectives import Term
from objectives.schedules import Schedule
from trainer import Task, config

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def entries(script):
    """The text of each entry by its name."""
    process = script("catalogue.py")
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return {text.partition(":")[0].splitlines()[-1]: text for text in process.stdout.split("\n\n") if ": " in text}


def registered(family):
    return [one for one in config.configurables().values() if isinstance(one, type) and issubclass(one, family)]


def test_everything_registered_is_there(entries):
    import tasks  # noqa: F401 (registers the tasks)

    members = [member for family in (Term, Schedule, Task) for member in registered(family)]
    assert sorted(entries) == sorted(member.__name__ for member in members)
    assert len(entries) > 15


def test_every_term_states_its_formula(entries):
    for term in registered(Term):
        assert re.search(r"^  formula  \S", entries[term.__name__], re.M), term.__name__


def test_every_entry_has_gin_lines_that_parse(entries):
    for name, text in entries.items():
        lines = re.split(r"^  gin     ", text, flags=re.M)[1].strip().splitlines()
        assert f"@{name}()" in lines[0]
        for line in lines:
            gin.clear_config()
            gin.parse_config(line.strip().replace("= ...", "= 1"))
