"""The page of the catalogue in a real browser: the search, the links and the lines to copy work without a network."""

import pathlib

import pytest

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[2]
SHOWN = "[...document.querySelectorAll('article')].filter((one) => one.offsetParent).map((one) => one.id)"


@pytest.fixture(scope="module")
def page(ready_python, tmp_path_factory):
    """The address of the page that the command writes."""
    folder = tmp_path_factory.mktemp("catalogue")
    process = ready_python.run(folder, ROOT / "scripts" / "catalogue.py", "--output=catalogue.html")
    assert (process.returncode, process.stderr) == (0, "")
    return (folder / "catalogue.html").as_uri()


def type_in_search(browser, words):
    browser.run("search.value = arguments[0]; search.dispatchEvent(new Event('input'))", words)


def test_the_search_leaves_the_entries_in_which_all_words_occur(browser, page):
    browser.open(page)
    every = browser.run(f"return {SHOWN}")
    assert len(every) == len(set(every)) > 150
    type_in_search(browser, "Smooth SPACE")
    both = ["IsotropicTotalVariation", "TotalVariation"]
    assert browser.run(f"return {SHOWN}") == both
    assert browser.run("return found.textContent") == f"2 of {len(every)} entries"
    links = "[...document.querySelectorAll('nav a')].filter((one) => one.offsetParent).map((one) => one.textContent)"
    assert browser.run(f"return {links}") == both
    type_in_search(browser, "no entry has this")
    assert browser.run(f"return {SHOWN}") == []
    type_in_search(browser, "")
    assert browser.run(f"return {SHOWN}") == every


def test_a_link_to_an_entry_that_the_search_hides_shows_it(browser, page):
    browser.open(page)
    type_in_search(browser, "TotalVariation")
    browser.run("location.hash = 'RangeHinge'")
    browser.wait("document.getElementById('RangeHinge').offsetParent !== null")
    browser.wait("Math.abs(document.getElementById('RangeHinge').getBoundingClientRect().top) < 40")


def test_the_lines_of_an_entry_are_copied(browser, page):
    browser.open(page)
    browser.command("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    button = "document.querySelector('#ActivationPenalty .gin button')"
    browser.run(f"{button}.scrollIntoView({{block: 'center'}})")
    x, y = browser.run(f"const box = {button}.getBoundingClientRect(); return [box.x + 9, box.y + 9]")
    browser.click(x, y)
    browser.wait(f"{button}.textContent == 'Copied'")
    browser.run("navigator.clipboard.readText().then((text) => { window.pasted = text; })")
    lines = browser.wait("window.pasted").splitlines()
    assert [line.split(" = ")[0] for line in lines] == ["Objective.activation_penalty", "ActivationPenalty.activation"]


@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_is_cut_in_any_window(browser, page, width):
    browser.open(page, width=width)
    assert browser.run("return document.documentElement.scrollWidth") <= width
