"""report.html of a real run in a real browser: what is drawn, what answers the mouse, how it fits and prints."""

import shutil

import numpy as np
import pytest

from trainer.pages.facts import read_facts
from trainer.pages.page import write_page
from trainer.reports import palette

pytestmark = pytest.mark.slow

DRAWN = "window.Bokeh && Bokeh.documents.length && Bokeh.documents.every(one => one.is_idle)"
# The figures of the terms, one a measure, and what of the shown one Bokeh has drawn where.
PARTS = """
    const parts = [...Bokeh.documents[0]._all_models.values()];
    const buttons = parts.find(one => one.type == "RadioButtonGroup");
    const figures = parts.filter(one => one.type == "Figure" && one.right.some(part => part.type == "Legend"));
    const figure = figures.find(one => one.visible), legend = figure.right.find(part => part.type == "Legend");
    const view = Bokeh.index.find_one(figure), canvas = view.canvas_view.el.getBoundingClientRect();
    const box = one => { const {x, y, width, height} = one.getBoundingClientRect(); return [x, y, width, height] };
    const centre = one => { const [x, y, width, height] = box(one); return [x + width / 2, y + height / 2] };
    const place = (x, y) => [canvas.x + view.frame.x_scale.compute(x), canvas.y + view.frame.y_scale.compute(y)];
    const entries = Bokeh.index.find_one(legend).entries.map(one => one.el);
    const within = node => [node, ...[...node.children, ...(node.shadowRoot?.children ?? [])].flatMap(within)];
    const find = (node, name) => within(node).filter(one => one.classList.contains(name));
"""


@pytest.fixture
def page(browser, shown_run):
    """Opens the page of the run; returns the browser, which sees all of its charts, and asks Bokeh for parts of it."""

    def show(path=shown_run / "report.html", width=1280):
        browser.open(path.as_uri(), width=width, height=3000)
        browser.wait(DRAWN)
        return browser, lambda asked: browser.run(f"{PARTS} return {asked}")

    return show


@pytest.fixture
def facts(shown_run):
    return read_facts(shown_run)


@pytest.fixture
def lines(facts):
    """The line of the total and of each term."""
    return {"total": palette.TOTAL, **palette.lines(facts.terms)}


def has_color(picture, color):
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])
    return bool((np.abs(picture.astype(int) - rgb) <= 2).all(axis=-1).any())


def test_each_curve_is_drawn_in_the_colour_of_its_term_and_the_legend_names_it(page, lines):
    browser, ask = page()
    drawn = ask("figure.renderers.map(one => [one.name, one.glyph.line_color.value])")
    colors = {name: line.color for name, line in lines.items()}
    assert {name.rpartition(" (")[0]: color for name, color in drawn} == colors
    picture = browser.picture(ask("box(view.frame.el)"))
    # A value of 0 has no place on a logarithmic axis.
    assert [name for name, color in colors.items() if not has_color(picture, color)] == ["huber", "never"]
    named = ask("entries.map(one => [one.textContent.trim(), box(one)])")
    assert [name for name, _ in named] == [*lines]
    assert [name for name, box in named if not has_color(browser.picture(box), colors[name])] == []


@pytest.mark.parametrize("split", ["train", "eval"])
def test_the_mouse_over_a_curve_finds_its_term_and_the_value(page, facts, split):
    browser, ask = page()
    history = facts.histories[split]
    value = history.means("terms/data/weighted")[history.steps == 30].item()
    browser.move(*ask(f"place(30, {value})"))
    tips = browser.wait(lambda: ask("find(document.body, 'bk-tooltip-content').map(one => one.textContent)"))
    assert [" ".join(tip.split()) for tip in tips] == [f"term: data ({split}) step: 30 value: {value:.4g}"]


def test_buttons_switch_the_measure_and_keep_the_steps_that_were_chosen(page):
    browser, ask = page()
    left, top, width, height = ask("box(view.frame.el)")
    browser.drag((left + width / 2, top + height / 2), (left + width / 4, top + height / 2))
    chosen = browser.wait(lambda: (now := ask("[figure.x_range.start, figure.x_range.end]"))[0] > 10 and now)
    labels = ask("buttons.labels")
    assert labels == ["weighted", "raw", "share of the total", "share of the gradient", "weight"]
    for i in reversed(range(len(labels))):
        browser.click(*ask(f"centre(find(Bokeh.index.find_one(buttons).el, 'bk-btn')[{i}])"))
        assert browser.wait(lambda: ask("figures.map(one => one.visible)")) == [i == j for j in range(len(labels))]
        assert browser.wait(lambda: ask("view.frame.bbox.height")) > 200
        assert ask("[figure.x_range.start, figure.x_range.end]") == chosen


def test_a_click_on_a_name_dims_its_curves(page, lines):
    browser, ask = page()
    color = lines["outputs_within_the_bounds_of_the_targets"].color
    assert has_color(browser.picture(ask("box(view.frame.el)")), color)
    browser.click(*ask("centre(entries[6])"))
    browser.wait(lambda: not has_color(browser.picture(ask("box(view.frame.el)")), color))


@pytest.mark.parametrize("width", [400, 900, 1600])
def test_the_page_fits_the_window_and_every_chart_has_room(page, width):
    browser, ask = page(width=width)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    frames = "parts.filter(one => one.type == 'Figure' && one.visible).map(one => [one.title.text, one.inner_width])"
    assert [(title, inner) for title, inner in ask(frames) if inner < 200] == []


def test_a_narrow_window_cuts_no_button_and_no_part_of_a_figure_off(page):
    browser, ask = page(width=500)
    sections = "return [...document.querySelectorAll('section')].map(one => [one.clientWidth, one.scrollWidth])"
    assert [(shown, whole) for shown, whole in browser.run(sections) if whole > shown] == []
    edges = ask("find(document.body, 'bk-btn').map(one => one.getBoundingClientRect().right)")
    assert edges
    assert max(edges) <= 500


def test_paper_cuts_nothing_off(page):
    browser, ask = page(width=1600)
    browser.command("Emulation.setEmulatedMedia", media="print")
    browser.command("Emulation.setDeviceMetricsOverride", width=1032, height=700, deviceScaleFactor=1, mobile=False)
    edges = ask("find(document.body, 'bk-Figure').map(one => one.getBoundingClientRect().right)")
    assert edges
    assert max(edges) <= 1032
    assert browser.run("return document.documentElement.scrollWidth") <= 1032


def test_a_browser_that_prefers_the_dark_shows_the_same(page):
    browser, ask = page()
    place = ask("box(document.querySelector('table'))")
    light = browser.picture(place)
    browser.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    np.testing.assert_array_equal(browser.picture(place), light)


def test_names_are_no_markup(page, shown_run, tmp_path):
    injected = "</script><script>injected = 1</script><img src=http://127.0.0.2/a onerror='injected = 1'>"
    folder = shutil.copytree(shown_run, tmp_path / "<i>&amp;")
    text = (folder / "metrics.jsonl").read_text()
    (folder / "metrics.jsonl").write_text(text.replace("metrics/mean_absolute_error", f"measures/{injected}"))
    (folder / "learned.json").write_text(f'{{"{injected}": 0.5}}')
    (folder / "config.gin").write_text(f'A.b = "{injected}"\n')
    browser, ask = page(write_page(folder))
    assert browser.run("return document.querySelector('h1').textContent") == folder.name == browser.driver.title
    title = "parts.filter(one => one.type == 'Figure').map(one => one.title.text)"
    assert injected in ask(title)
    assert browser.run("return document.body.innerText").count(injected) == 2
    place = "box(Bokeh.index.find_one(parts.find(one => one.title?.text?.startsWith('</script'))).frame.el)"
    x, y, width, height = ask(place)
    browser.move(x + width / 10, y + height / 20)
    assert browser.run("return window.injected") is None


def test_a_narrow_window_has_what_is_said_of_each_term_below_its_numbers(page):
    browser, _ = page(width=400)
    words = browser.run(
        "return [...document.querySelectorAll('table.terms td.words')].filter(one => one.textContent)"
        ".map(one => [one.getBoundingClientRect().left, one.getBoundingClientRect().right])"
    )
    assert words
    assert all(0 <= left < right <= 400 for left, right in words)


def test_a_logarithmic_axis_has_labels_wherever_one_zooms(page):
    _, ask = page()
    for (low, high), labels in {
        (2.5, 190): [5, 10, 20, 50, 100],
        (3, 6): [3, 4, 5, 6],
        (0.8, 1.1): [0.8, 0.9, 1, 1.1],
        (3, 30): [3, 5, 7, 10, 20, 30],
        (1e-9, 1000): [1e-8, 1e-6, 1e-4, 0.01, 1, 100],
    }.items():
        ask(f"figure.y_range.setv({{start: {low}, end: {high}}})")
        assert [*ask("Bokeh.index.find_one(figure.left[0]).tick_coords.major[1]")] == pytest.approx(labels)
