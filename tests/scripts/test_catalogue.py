"""scripts/catalogue.py: an index, one entry, or all of them, of whatever gin files can name."""

import re

import pytest

from objectives import BaseTerm
from trainer import config
from trainer.settings.settings import declarations

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def printed(script):
    """What the command prints as all entries: those of classes, and the settings of the trainer."""
    process = script("catalogue.py", "--all")
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    things, _, settings = process.stdout.partition("Settings of Trainer")
    return things, settings


def test_every_term_states_its_formula(printed):
    texts = {text.partition(":")[0]: text for text in printed[0].split("\n\n")}
    terms = [one for one in config.configurables().values() if isinstance(one, type) and issubclass(one, BaseTerm)]
    ours = [one.__name__ for one in terms if one.__module__.startswith("objectives.")]
    assert len(ours) > 10
    for name in ours:
        assert re.search(r"^  formula  \S", texts[name], re.MULTILINE), name


def test_every_setting_is_there_with_its_range_and_its_meaning(printed):
    found = re.findall(r"^Trainer\.(\w+) = .*\n  may be   \S(?:.*\n)+?  meaning  \S", printed[1], re.MULTILINE)
    assert found == [*declarations()]


def test_a_misspelt_name_ends_it_with_the_nearest(script):
    process = script("catalogue.py", "TotalVaration")
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == "the catalogue has no 'TotalVaration'; did you mean 'TotalVariation'?\n"


def test_the_gin_lines_of_an_entry_are_printed_alone(script):
    process = script("catalogue.py", "--gin", "RangeHinge")
    assert (process.returncode, process.stderr) == (0, "")
    comment, *lines = process.stdout.splitlines()
    assert comment.startswith("# RangeHinge: ")
    assert lines == ["Objective.range_hinge = @RangeHinge()"]
    refused = script("catalogue.py", "--gin")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "expected one, as in `--gin TotalVariation`" in refused.stderr
