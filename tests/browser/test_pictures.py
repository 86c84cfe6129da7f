"""Draws the pictures of the docs: what a browser shows of the run of the demo. `make screenshots` asks for it."""

import io
import pathlib
import time

import pytest
from PIL import Image

from trainer.pages.page import write_page

pytestmark = pytest.mark.slow

RUN = pathlib.Path(__file__).parents[2] / "runs" / "demo" / "five_terms"
LARGEST = 300_000  # bytes


@pytest.fixture
def keep(request, browser):
    """Writes a box of what the browser shows as a picture of the docs."""

    def write(name, *box):
        path = request.config.getoption("pictures") / name
        Image.open(io.BytesIO(browser.png(box))).convert("RGB").save(path, optimize=True)
        assert path.stat().st_size < LARGEST

    return write


def test_the_page_of_a_run(browser, keep, tmp_path):
    browser.open(write_page(RUN, tmp_path / "report.html").as_uri(), width=1240, height=2000)
    browser.wait("window.Bokeh && Bokeh.documents.length && Bokeh.documents.every(one => one.is_idle)")
    heading = "[...document.querySelectorAll('h2')].find(one => one.textContent == 'Conflicts')"
    end = browser.run(f"return {heading}.nextElementSibling.getBoundingClientRect().bottom")
    keep("report.png", 0, 0, 1240, end + 10)


def test_tensorboard(chromium, keep, tensorboard):
    with tensorboard(RUN) as address:
        chromium.open(f"{address}#timeseries", width=1500, height=900)
        chromium.wait("document.querySelectorAll('scalar-card tb-data-table-content-row').length > 10")
        chromium.run("document.querySelector('.settings-button')?.click()")  # the pane on the right
        time.sleep(3)  # the lines move to their places
        keep("tensorboard.png", 0, 0, 1500, 900)
        chromium.requests(), chromium.complaints()
