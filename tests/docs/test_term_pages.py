"""The pages of the terms: every term is on one of them, with a formula and its source."""

import inspect
import pathlib
import re

import pytest
import term_pages

import objectives
from objectives import BaseTerm
from objectives.formulas import formula_of

ROOT = pathlib.Path(__file__).parents[2]
# A year, a thing of Keras or TensorFlow, or that there is none.
SOURCE = re.compile(r"\b(1[89]|20)\d\d\b|\b(keras|tf)\.\w|\bof Keras\b|\bonly source\b")


def bundled():
    """The classes of terms in the files of families that users can make."""
    classes = [thing for thing in vars(objectives).values() if inspect.isclass(thing) and issubclass(thing, BaseTerm)]
    return [one for one in classes if one.__module__.startswith("objectives.terms.")]


def test_every_file_of_terms_has_a_page_that_begins_with_what_the_file_says_of_itself():
    files = {path.stem: path for path in (ROOT / "objectives" / "terms").glob("[!_]*.py")}
    families = {family.name: family for family in term_pages.families()}
    assert families.keys() == files.keys()
    for name, family in families.items():
        assert family.page().startswith(f"# {family.title}\n\n{files[name].read_text()[3:].partition('.')[0]}.")


def test_every_bundled_term_is_on_exactly_one_page():
    on_pages = [
        name for family in term_pages.families() for name in re.findall("^::: (.*)", family.page(), re.MULTILINE)
    ]
    assert sorted(on_pages) == sorted(f"objectives.{term.__name__}" for term in bundled())


def test_every_bundled_term_is_listed_once_with_its_first_sentence():
    listed = re.findall(r"^- \[`(\w+)`\]\[objectives\.\1\]: \S", term_pages.listed(), re.MULTILINE)
    assert sorted(listed) == sorted(term.__name__ for term in bundled())
    assert "](terms/regression.md)" in term_pages.listed()


def test_the_page_before_the_others_has_one_place_for_the_list():
    assert (ROOT / "docs" / term_pages.INDEX).read_text().count(term_pages.PLACE) == 1


def test_data_terms_come_before_those_of_outputs_of_hidden_layers_and_of_weights():
    order = [family.name for family in term_pages.families()]
    assert order.index("regression") < order.index("bounds") < order.index("statistics") < order.index("weights")


@pytest.mark.parametrize("term", bundled(), ids=lambda term: term.__name__)
def test_every_bundled_term_says_its_formula_and_its_source(term):
    assert "`" in formula_of(term)
    assert SOURCE.search(inspect.getdoc(term)), "expected (Author, year), what of Keras, or `only source`"
