"""The page of several runs in a real browser: their curves have room, and nothing is complained of or asked for."""

import shutil

import pytest

from trainer.comparison.comparison import compare
from trainer.pages.runs_page import write_runs_page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(shown_run, tmp_path_factory):
    """Where the page of two runs of seven terms is, whose names are no markup."""
    folder = tmp_path_factory.mktemp("runs")
    runs = [shutil.copytree(shown_run, folder / name) for name in ("<i>one", 'another & "more"')]
    return write_runs_page(compare(runs), folder / "runs.html").as_uri()


@pytest.mark.parametrize("width", [400, 900, 1600])
def test_it_fits_the_window_and_every_chart_has_room(browser, address, width):
    browser.open(address, width=width, height=3000)
    browser.wait("window.Bokeh && Bokeh.documents.length && Bokeh.documents.every(one => one.is_idle)")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    figures = "[...Bokeh.documents[0]._all_models.values()].filter(one => one.type == 'Figure' && one.visible)"
    charts = browser.run(f"return {figures}.map(one => [one.title?.text, one.inner_width])")
    assert charts
    assert [(title, inner) for title, inner in charts if inner < 200] == []


def test_names_of_runs_are_no_markup(browser, address):
    browser.open(address)
    assert "<i>one" in browser.run("return document.body.innerText")
    assert browser.run("return document.querySelectorAll('i').length") == 0
