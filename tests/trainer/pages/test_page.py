"""The page: one file with everything in it, in which nothing of a run is taken for markup."""

import html.parser
import re

import pytest

from trainer.pages.page import write_page


class Page(html.parser.HTMLParser):
    """The texts of a page's cells by row, its headings, and what it would load."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.headings, self.loaded, self.sentences, self._inside = [], [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self._inside = tag
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.loaded += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        if self._inside in ("td", "code") and self.rows[-1]:
            self.rows[-1][-1] += data.strip()
        if self._inside == "li" and data.strip():
            self.sentences.append(data)
        if self._inside == "h2" and data.strip():
            self.headings.append(data.strip())

    def handle_endtag(self, tag):
        if tag == "svg":
            self._inside = "td"


@pytest.fixture(scope="module")
def text(write_run, tmp_path_factory):
    folder = write_run(tmp_path_factory.mktemp("run"))
    (folder / "pictures").mkdir()
    (folder / "pictures" / "scenes.png").write_bytes(b"a picture")
    with (folder / "config.gin").open("a") as config:
        config.write("A.b = '<script>alert(1)</script>'\n")
    return write_page(folder, folder / "other.html").read_text()


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_the_table_has_the_last_values_of_training_the_share_and_the_verdict(page):
    rows = {cells[0]: cells[1:] for cells in page.rows if len(cells) == 6}
    assert rows["data"] == ["10", "0.025", "0.25", "25.0%", "fights small"]
    assert rows["small"] == ["2", "0.025", "0.05", "75.0%", "fights data"]


def test_the_table_of_a_balanced_run_has_effective_weights(run_folder):
    folder = run_folder(gradients=False)
    path = folder / "metrics.jsonl"
    path.write_text(
        path.read_text().replace('"terms/data/raw"', '"terms/data/effective_weight": 0.5, "terms/data/raw"')
    )
    page = Page(write_page(folder).read_text())
    rows = {cells[0]: cells[1:] for cells in page.rows if len(cells) == 7}
    assert rows["data"][3:5] == ["0.5", "100.0%"]
    assert rows["small"][3] == "-"


def test_the_run_is_summed_up_in_sentences(page):
    assert page.sentences[0] == "The run is finished, after 40 of 40 steps."
    assert any(sentence.startswith("On the evaluation data it fell from") for sentence in page.sentences)


def test_what_was_asked_for_is_told_from_defaults(text):
    rows = re.findall(r'<tr( class="asked")?><td><code>(RangeHinge[^<]*)', text)
    assert {name: bool(mark) for mark, name in rows} == {"RangeHinge.weight": True, "RangeHinge.min_value": False}


def test_nothing_is_loaded_from_elsewhere(page):
    assert page.headings == ["Terms", "Conflicts", "Metrics and measures", "Optimizer", "Pictures", "Configuration"]
    assert [link[:22] for link in page.loaded] == ["data:image/png;base64,"]


def test_names_and_values_are_no_markup(text):
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_run_without_a_finite_number_has_a_page(run_folder):
    folder = run_folder()
    text = re.sub(r": -?[0-9.e-]+(?=[,}])", ": null", (folder / "metrics.jsonl").read_text())
    (folder / "metrics.jsonl").write_text(re.sub(r'"step": null', '"step": 3', text))
    assert Page(write_page(folder).read_text()).headings[-1] == "Configuration"
