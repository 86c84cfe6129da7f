"""scripts/verification/oracles.py: docs/terms.md has every term, with its formula, its oracles and its cases."""

import collections
import html
import importlib
import pathlib
import re

import pytest

from objectives.formulas import formula_of

ROOT = pathlib.Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "terms.md").read_text()


def rows(page):
    """The cells of each term on a page, by its name."""
    return {
        cells[0].strip("`"): cells[1:] for line in page.splitlines() if (cells := line.strip("| ").split(" | "))[1:]
    }


def compared():
    """The cases of each term, by its name."""
    found = collections.defaultdict(list)
    for path in (ROOT / "tests" / "objectives" / "terms" / "cases").glob("*.py"):
        module = importlib.import_module(f"tests.objectives.terms.cases.{path.stem}")
        for case in (*getattr(module, "CASES", {}).values(), *getattr(module, "WHOLE", {}).values()):
            found[type(case.term).__name__].append(case)
    return found


def test_the_page_has_every_term_with_its_formula_its_oracles_and_the_number_of_its_cases():
    shown = {name: cells for name, cells in rows(PAGE).items() if name not in ("term", "---")}
    cases = compared()
    assert shown.keys() == cases.keys(), "run `make oracles`"
    for name, (formula, oracles, count, *_) in shown.items():
        begun = html.unescape(re.sub("</?code>", "`", formula))
        assert formula_of(type(cases[name][0].term)).startswith(begun), f"run `make oracles`: the formula of {name}"
        assert {*oracles.split(", ")} == {case.whose for case in cases[name]}, f"run `make oracles`: oracles of {name}"
        assert int(count) == len(cases[name]), f"run `make oracles`: the cases of {name}"


def test_no_number_on_the_page_is_above_a_millionth():
    numbers = [float(n) for cells in rows(PAGE).values() for n in ", ".join(cells[3:]).split(", ") if n[0].isdigit()]
    # A value and a gradient in three ways each; none of a gradient that stops on purpose.
    is_stopping = [all("gradient" in case.term.except_for for case in cases) for cases in compared().values()]
    assert len(numbers) == 6 * len(is_stopping) - 3 * sum(is_stopping)
    assert max(numbers) <= 1e-6


@pytest.mark.slow
def test_a_part_is_compared_and_written(script, tmp_path):
    output = tmp_path / "terms.md"
    flags = (f"--output={output}", "--term=Huber", "--term=Decorrelation")
    process = script("verification/oracles.py", *flags)
    assert process.returncode == 0, process.stdout + process.stderr
    assert process.stdout.splitlines()[-1] == "terms: 2, with a difference above 1e-06: none"
    written = rows(output.read_text())
    for name in ("Huber", "Decorrelation"):
        assert written[name][:3] == rows(PAGE)[name][:3]


@pytest.mark.slow
def test_a_term_that_does_not_exist_is_told(script):
    process = script("verification/oracles.py", "--term=Hubert")
    assert (process.returncode, process.stderr) == (2, "no bundled term is named Hubert\n")
