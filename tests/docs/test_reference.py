"""The reference of the site: it shows every public name, and reads what docstrings say of each."""

import ast
import functools
import importlib
import inspect
import pathlib
import re
import types

import pytest
import term_pages

ROOT = pathlib.Path(__file__).parents[2]
PACKAGES = ("objectives", "objectives.balancing", "objectives.testing", "trainer", "trainer.reports", "tasks")
METHODS = (types.FunctionType, property, functools.cached_property, classmethod, staticmethod)


@functools.cache
def shown():
    """What the pages of the reference show, those made of the terms included, by the names that they give."""
    written = [page.read_text() for page in (ROOT / "docs" / "reference").glob("*.md")]
    pages = [*written, *(family.page() for family in term_pages.families())]
    return [name for page in pages for name in re.findall(r"^::: (\S+)$", page, flags=re.MULTILINE)]


def public_names(package):
    """What a package exports, which its `import x as x` says."""
    module = ast.parse((ROOT / package.replace(".", "/") / "__init__.py").read_text())
    aliases = [alias for node in module.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    return {f"{package}.{alias.name}" for alias in aliases if alias.asname == alias.name}


def test_every_public_name_is_on_a_page():
    assert set().union(*map(public_names, PACKAGES)) - {*shown()} == set()


def test_nothing_is_shown_twice():
    assert sorted(shown()) == sorted({*shown()})


@pytest.mark.parametrize("name", shown())
def test_every_public_method_has_words_of_its_own_or_of_its_base(name):
    package, _, member = name.rpartition(".")
    thing = getattr(importlib.import_module(package), member)
    fields = getattr(thing, "__annotations__", {})
    own = [key for key, value in getattr(thing, "__dict__", {}).items() if isinstance(value, METHODS)]
    without = [key for key in own if key[0] != "_" and key not in fields and not inspect.getdoc(getattr(thing, key))]
    assert without == []


@pytest.mark.slow
@pytest.mark.parametrize("package", ["objectives", "trainer", "tasks"])
def test_an_entry_of_a_docstring_is_about_one_name_which_is_all_that_the_site_can_read(package):
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    trees = {path: ast.parse(path.read_text()) for path in (ROOT / package).rglob("*.py")}
    texts = [
        (path, ast.get_docstring(node) or "")
        for path in trees
        for node in ast.walk(trees[path])
        if isinstance(node, kinds)
    ]
    assert len(texts) > len(trees), "there is something to read"
    assert [path for path, text in texts if re.search(r"^ +\w+(, \w+)+: ", text, flags=re.MULTILINE)] == []
