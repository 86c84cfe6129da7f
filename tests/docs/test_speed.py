"""The page about speed: its program runs as it stands there, and leaves what the page shows."""

import json
import re

import pytest

from trainer.executions.execution import EXECUTIONS

PAGE = "speed.md"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def kept(page):
    """What the program leaves about its execution, and what it printed."""
    printed = page.run("wide.py")
    return json.loads((page.folder / "runs" / "wide" / "execution.json").read_text()), printed


def test_the_program_measures_what_the_page_says_and_names_what_it_took(kept):
    record, printed = kept
    assert f"1 replica on CPU:0; execution {record['execution']}\n" in printed
    assert "streamed in chunks" in printed
    assert record["execution"] in EXECUTIONS


def test_the_page_shows_a_record_like_the_one_that_is_left(page, kept):
    record, _ = kept
    (shown,) = re.findall(r"^```json\n(.*?)^```", page.text, re.DOTALL | re.MULTILINE)
    shown = json.loads(shown)
    time = re.compile(r"[\d,]+ us")
    assert {**shown, "reason": time.sub("", shown["reason"])} == {**record, "reason": time.sub("", record["reason"])}


def test_each_execution_has_a_row(page):
    table = page.text.partition("| execution |")[2].partition("\n\n")[0]
    assert {*re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)} == {*EXECUTIONS}
