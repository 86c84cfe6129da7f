"""scripts/catalogue.py: every term, schedule, metric, source and task, with lines that gin takes."""

import re

import gin
import pytest

from objectives import BaseTerm
from objectives.schedules import Schedule
from trainer import Metric, Source, Task, config
from trainer.settings.settings import declarations

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def printed(script):
    """What the command prints: terms, schedules and tasks, and the settings of the trainer."""
    process = script("catalogue.py")
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    things, _, settings = process.stdout.partition("Settings of Trainer")
    return things, settings


@pytest.fixture(scope="module")
def entries(printed):
    """The text of each entry by its name."""
    return {text.partition(":")[0].splitlines()[-1]: text for text in printed[0].split("\n\n") if ": " in text}


def registered(family):
    """Those of Termwise: tests that ran before in this process may have registered others."""
    classes = [one for one in config.configurables().values() if isinstance(one, type) and issubclass(one, family)]
    return [one for one in classes if one.__module__.partition(".")[0] in ("objectives", "trainer", "tasks")]


def test_everything_registered_is_there(entries):
    import tasks  # noqa: F401 (registers the tasks)

    members = [member for family in (BaseTerm, Schedule, Metric, Source, Task) for member in registered(family)]
    assert sorted(entries) == sorted(member.__name__ for member in members)
    assert len(entries) > 15


def test_every_term_states_its_formula(entries):
    for term in registered(BaseTerm):
        assert re.search(r"^  formula  \S", entries[term.__name__], re.MULTILINE), term.__name__


def test_every_entry_has_gin_lines_that_parse(entries):
    for name, text in entries.items():
        lines = re.split(r"^  gin     ", text, flags=re.MULTILINE)[1].strip().splitlines()
        assert f"@{name}()" in lines[0]
        for line in lines:
            gin.clear_config()
            gin.parse_config(line.strip().replace("= ...", "= 1"))


def test_every_setting_is_there_with_its_range_and_its_meaning(printed):
    found = re.findall(r"^Trainer\.(\w+) = .*\n  may be   \S.*\n  meaning  \S", printed[1], re.MULTILINE)
    assert found == [*declarations()]
