"""The page of the checks of a term: it has every check in order, and every result."""

import pathlib
import re

from objectives.testing import report
from objectives.testing.term_check import checks

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "checks.md").read_text()
RESULTS = ("PASSED", "FAILED", "NOT_APPLICABLE", "NOT_CHECKED", "NOT_RUN", "LEFT_OUT")


def named(title):
    """What the first cells of the table below a title name."""
    table = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return [name for cell in cells for name in re.findall("`(.*?)`", cell)]


def test_every_check_is_on_the_page_in_its_order():
    assert named("What is found") == [check.name for check in checks()]


def test_every_result_is_on_the_page():
    assert named("What a result means") == [getattr(report, name) for name in RESULTS]
