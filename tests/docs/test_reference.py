"""The reference of the site: it shows every public name, and reads what docstrings say of each."""

import ast
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
PACKAGES = ("objectives", "trainer", "trainer.reports", "tasks")


def shown():
    """What the pages of the reference show, by the names that they give."""
    pages = (ROOT / "docs" / "reference").glob("*.md")
    return [name for page in pages for name in re.findall(r"^::: (\S+)$", page.read_text(), flags=re.MULTILINE)]


def public_names(package):
    """What a package exports, which its `import x as x` says."""
    module = ast.parse((ROOT / package.replace(".", "/") / "__init__.py").read_text())
    aliases = [alias for node in module.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    return {f"{package}.{alias.name}" for alias in aliases if alias.asname == alias.name}


def test_every_public_name_is_on_a_page():
    assert set().union(*map(public_names, PACKAGES)) - {*shown()} == set()


def test_nothing_is_shown_twice():
    assert sorted(shown()) == sorted({*shown()})
