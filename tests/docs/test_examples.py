"""The page of the examples: its headings and sentences are the first lines of the files."""

import ast
import pathlib
import re

import pytest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.py")), ids=lambda path: path.stem)
def test_the_first_line_of_an_example_is_a_heading_and_a_sentence(path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert re.fullmatch(r"[^:]+: [^:]+\.", docstring.splitlines()[0])


def test_no_two_examples_have_the_same_anchor():
    stems = [path.stem for path in EXAMPLES.rglob("*.py")]
    assert sorted(stems) == sorted({*stems})
