"""TensorBoard's own pages of a real run: a colour and a name for each term, charts, settings and texts."""

import json
import re

import numpy as np
import pytest

from trainer.pages.facts import read_facts
from trainer.reports.tensorboard.term_runs import TOTAL, WEIGHTED, tag_of

pytestmark = pytest.mark.slow

PARTS = """
    const within = node => [node, ...[...node.children, ...(node.shadowRoot?.children ?? [])].flatMap(within)];
    const box = one => { const {x, y, width, height} = one.getBoundingClientRect(); return [x, y, width, height] };
    const named = name => within(document.body).filter(one => one.tagName == name);
    const texts = name => (all => all.length && all)(named(name).map(one => one.textContent));
"""


@pytest.fixture(scope="module")
def address(shown_run, tensorboard):
    """Where TensorBoard shows the run, while the tests of this module run."""
    with tensorboard(shown_run) as served:
        yield served


@pytest.fixture
def show(chromium, address):
    """Opens one of TensorBoard's pages, which must ask nobody else for anything and report no error."""

    def open_page(name):
        chromium.open("about:blank")
        chromium.complaints(), chromium.requests()
        chromium.open(f"{address}#{name}", width=1500, height=2000)
        return lambda asked: chromium.wait(lambda: chromium.run(f"{PARTS} return {asked}"))

    yield open_page
    assert chromium.complaints(["SEVERE"]) == []
    assert [url for url in chromium.requests() if not url.startswith(address)] == []


@pytest.fixture(scope="module")
def terms(shown_run):
    return read_facts(shown_run).terms


def test_it_begins_with_all_terms_in_a_chart_each_by_name_and_in_a_colour_of_its_own(show, chromium, terms):
    ask = show("timeseries")
    cards = "[...document.querySelectorAll('scalar-card')]"
    named = f"{cards}.filter(one => one.querySelector('tb-data-table-content-row')).map(one => one.innerText)"
    chromium.wait(lambda: len(ask(named)) > 1)
    total, weighted, *_ = ask(named)
    assert "".join(total.split("\n")[:2]) == tag_of(TOTAL)
    assert "".join(weighted.split("\n")[:2]) == tag_of(WEIGHTED)
    assert re.findall(r"terms/(\S+)", weighted) == [*terms]
    rows = "[...document.querySelectorAll('runs-data-table tb-data-table-content-row')]"
    colors = ask(f"{rows}.map(row => [row.innerText.trim(), row.querySelector('.run-color-swatch').style.background])")
    color_of = {run.removeprefix("terms/"): color for run, color in colors if run.startswith("terms/")}
    assert [*color_of] == [*terms]
    assert len({*color_of.values()}) == len(terms)
    box = ask(f"box({cards}[1].querySelector('line-chart'))")
    rgb = {name: [*map(int, re.findall(r"\d+", color))] for name, color in color_of.items()}

    def drawn():
        picture = chromium.picture(box).astype(int)
        return {name for name, one in rgb.items() if (np.abs(picture - one).max(axis=-1) < 30).any()}

    assert chromium.wait(lambda: drawn() >= {"data", "absolute", "outputs_within_the_bounds_of_the_targets"})


def test_custom_scalars_have_charts_of_all_terms_and_one_of_each(show, chromium, terms):
    ask = show("custom_scalars")
    cards = "named('TF-CUSTOM-SCALAR-MULTI-LINE-CHART-CARD')"
    chromium.wait(lambda: len(ask(f"{cards}.map(one => one.title)")) > len(terms))
    titles = ask(f"{cards}.map(one => one.title)")
    assert titles[0] == "weighted terms and their total"
    assert {"raw terms", "weights", "total", *terms} <= {*titles}
    named = f"within({cards}[0]).filter(one => one.className == 'match-list-entry').map(one => one.textContent)"
    chromium.wait(lambda: all(any(f"terms/{name}" in one for one in ask(named)) for name in terms))


def test_hyperparameters_have_a_row_with_weights_and_what_was_reached(show, shown_run, terms):
    ask = show("hparams")
    shown = "within(document.body).filter(one => !one.children.length).map(one => one.textContent.trim())"
    row = json.dumps(f"{shown_run.name} in {shown_run.parent}")
    names = ask(f"(all => all.includes({row}) && all)({shown})")
    assert {"2 Objective.small.weight", *(f"Objective.{name}" for name in terms)} <= {*names}


def test_the_text_has_the_configuration_and_each_term(show, terms):
    ask = show("text")
    told = ask("texts('LI')")
    assert [name for name in terms if not any(one.strip().startswith(name) for one in told)] == []
    assert any("ActivationPenalty.activation = 'activations.hidden'" in one for one in ask("texts('PRE')"))
