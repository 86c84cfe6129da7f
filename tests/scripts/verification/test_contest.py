"""scripts/verification/contest.py: docs/contest.md has every way on every problem; a contest resumes."""

import pathlib
import re

import pytest

from termwise.verification.contesting.problems import PROBLEMS
from termwise.verification.contesting.ways import FIXED, ONES, TUNED, methods

PAGE = (pathlib.Path(__file__).parents[3] / "docs" / "contest.md").read_text()


def ways(text):
    """The first cells of a table, without marks, but for those of its head."""
    return [line.split("|")[1].strip(" `") for line in text.splitlines() if line.startswith("|")][2:]


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_page_has_every_way_on_every_problem(name):
    (part,) = re.findall(rf"^## {name}$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    problem = PROBLEMS[name]
    every = [type(method).__name__ for method in methods(problem, {problem.data: 1.0})]
    assert ways(part) == [FIXED, ONES, TUNED, *every], "run `make contest`"
    assert f"{problem.seeds} seeds" in part, "run `make contest`"


@pytest.mark.slow
def test_a_contest_goes_on_where_it_was(script, tmp_path):
    output = tmp_path / "contest.md"
    flags = (f"--output={output}", f"--workdir={tmp_path / 'runs'}", "--problem=TumourDiagnosis", "--seeds=2")
    first = script("verification/contest.py", *flags)
    assert first.returncode == 0, first.stdout + first.stderr
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    written = output.read_text()
    again = script("verification/contest.py", *flags)
    assert again.stdout == first.stdout
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()} == kept
    assert output.read_text() == written
