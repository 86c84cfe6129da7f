"""The catalogue as a page: every entry once, with what the text says and lines to paste, and nothing from elsewhere."""

import re

import pytest

from objectives import ConfigurationError
from termwise.cli import contents
from termwise.cli.catalogue_page import write_catalogue


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The text of the page."""
    return write_catalogue(tmp_path_factory.mktemp("page") / "catalogue.html").read_text()


def test_every_entry_is_there_once_with_an_anchor_and_a_link_to_it(page):
    anchors = re.findall(r'<article id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors)) == len([*contents.entries()])
    assert re.findall(r'^    <a href="#([^"]+)"', page, re.MULTILINE) == anchors


def test_an_entry_has_its_formula_its_fields_and_its_lines(page):
    (article,) = re.findall(r'<article id="PairwiseOverlap">.*?</article>', page, re.DOTALL)
    assert '<span class="label">formula</span>' in article
    assert "<pre>Objective.pairwise_overlap = @PairwiseOverlap()</pre>" in article
    for field in contents.named("PairwiseOverlap")[0].describe().fields:
        assert f"<code>{field.name}</code>" in article


def test_a_setting_has_its_default(page):
    assert re.search(r'id="Trainer.batch_size">\s*<h3><a[^>]*>Trainer.batch_size</a> <code>= 64</code>', page)


def test_it_loads_nothing_from_elsewhere(page):
    assert re.findall(r"""(?:\bsrc=|<link\b|@import|url\()""", page) == []


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="expected the name of an HTML file"):
        write_catalogue(tmp_path / "catalogue.md")
