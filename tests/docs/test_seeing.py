"""The page about seeing terms explains every word of a verdict, and its pictures are there."""

import pathlib
import re

from trainer.reports import verdicts

DOCS = pathlib.Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "seeing.md").read_text()


def test_every_verdict_is_explained():
    source = pathlib.Path(verdicts.__file__).read_text()
    named = {verdicts.DOMINATES, verdicts.IDLE, verdicts.ALWAYS_0, verdicts.NOT_OF_LATE, verdicts.NEVER}
    named |= {verdicts.ALONE, verdicts.NOT_COUNTED}
    words = {*named, *re.findall(r'yield "(.*)"', source)}
    assert len(words) > len(named)
    explained = {*re.findall(r"^\| `([^`]*)` \|", TEXT, re.MULTILINE)}
    assert explained == {*words, "fights <other>", f"{verdicts.OVER} by <amount>"}


def test_its_pictures_are_there_and_name_no_folder_of_a_machine():
    pictures = re.findall(r"!\[[^]]*\]\(([^)]*)\)", TEXT)
    assert pictures
    assert [name for name in pictures if not (DOCS / name).exists()] == []
    assert str(pathlib.Path.home()) not in (DOCS / "terminal.svg").read_text()
