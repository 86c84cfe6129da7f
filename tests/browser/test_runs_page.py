"""report.html of several runs in a real browser: what is chosen is drawn, by value, by measure, and two by two."""

import json

import pytest

from trainer.comparison.comparison import compare
from trainer.pages.runs_page import write_runs_page

pytestmark = pytest.mark.slow

DRAWN = "window.Bokeh && Bokeh.documents.length && Bokeh.documents.every(one => one.is_idle)"
PARTS = """
    const parts = Bokeh.documents.flatMap(one => [...one._all_models.values()]);
    const select = title => parts.find(one => one.type == "Select" && one.title == title);
    const buttons = parts.find(one => one.type == "RadioButtonGroup");
    const curves = parts.filter(one => one.type == "Figure" && one.right.length);
    const drawn = () => curves.filter(one => one.visible).map(one => [one.title.text, one.y_range.end,
        one.renderers.filter(each => each.name).map(each => each.data_source.data.value.length)]);
    const trade = parts.find(one => one.type == "Figure" && !one.right.length);
"""


@pytest.fixture
def runs(tmp_path):
    """Two seeds of one configuration, whose names are markup, and another one."""
    folders = []
    for name, seed, weight in (("<b>a</b>_0", 0, 1.0), ("<b>a</b>_1", 1, 1.0), ("b & c", 0, 2.0)):
        folder = tmp_path / name.replace("/", "|")
        folder.mkdir()
        lines = []
        for split, step in [("train", step) for step in range(1, 41)] + [("eval", 40)]:
            values = {"loss/total": (1 + seed + weight) / step, "metrics/auc": 0.5 + step / 100}
            own = {"raw": (1 + seed) / step**2, "weight": weight, "weighted": weight * (1 + seed) / step**2}
            values |= {f"terms/{term}/{what}": value for term in ("data", "small") for what, value in own.items()}
            lines.append({"split": split, "step": step, **values})
        (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        (folder / "environment.json").write_text('{"steps": 40, "directions": {"metrics/auc": "max"}}')
        settings = {"Trainer": {"seed": str(seed)}, "Objective.data = A": {"weight": str(weight)}}
        (folder / "settings.json").write_text(json.dumps(settings))
        folders.append(folder)
    return compare(folders)


def test_what_is_chosen_is_drawn_and_nothing_else_happens(browser, runs):
    browser.open(write_runs_page(runs).as_uri(), height=2000)
    browser.wait(DRAWN)

    def ask(asked):
        return browser.run(f"{PARTS} return {asked}")

    assert browser.run("return document.querySelectorAll('body b').length") == 0
    assert ask("drawn()")[0][0] == "the total ≠ not the same quantity (another objective)"
    browser.run(f"{PARTS} select('value').value = 'small'; buttons.active = 1")
    (chosen,) = browser.wait(lambda: (now := ask("drawn()"))[0][0] == "small: raw" and now)
    assert chosen[1] > 1.5
    assert chosen[2] == [40, 1, 40, 1]
    browser.run(f"{PARTS} select('value').value = 'metrics/auc'")
    browser.wait(lambda: ask("drawn()")[0][0] == "metrics/auc")
    assert ask("buttons.disabled")
    browser.run(f"{PARTS} select('across').value = 'metrics/auc'; select('up').value = 'terms/data/raw'")
    browser.wait(lambda: ask("trade.below[0].axis_label") == "auc (higher is better)")
    points = ask("trade.renderers.find(one => one.name == 'runs').data_source.data")
    assert list(points["y"].values() if isinstance(points["y"], dict) else points["y"]) == pytest.approx(
        [1.5 / 1600, 1 / 1600]
    )


def test_the_page_is_no_wider_than_the_window(browser, runs):
    page = write_runs_page(runs).as_uri()
    for width in (400, 900, 1600):
        browser.open(page, width=width)
        browser.wait(DRAWN)
        assert browser.run("return document.documentElement.scrollWidth") <= width
