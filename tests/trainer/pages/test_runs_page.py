"""The page of several runs: one file, in the folder of all of them, that needs no network."""

import base64
import re

import pytest

from objectives import ConfigurationError
from trainer.pages.runs_page import write_runs_page


def test_the_page_is_in_the_folder_of_all_runs_with_their_pictures_and_loads_nothing(seeds, tmp_path):
    path = write_runs_page(seeds)
    assert path == tmp_path / "report.html"
    assert path.stat().st_size < 4_000_000
    text = path.read_text().rpartition("</head>")[2]
    assert re.findall(r"<h2>(.*?)</h2>", text) == ["Over the steps", "Trade-offs", "Pictures"]
    assert {link[:15] for link in re.findall(r'<[^>]* (?:src|href)="([^"]*)"', text)} == {"data:image/png;"}
    captions = re.findall(r"<figcaption>(.*?)</figcaption>.*?base64,([^\"]*)", text)
    assert [(name, base64.b64decode(data).decode()) for name, data in captions] == [("a_0", "a_0"), ("b", "b")]


def test_the_page_of_a_run_is_not_overwritten(seeds, tmp_path):
    (tmp_path / "metrics.jsonl").write_text("")
    with pytest.raises(ConfigurationError, match=r"expected --output=FILE\.html"):
        write_runs_page(seeds)
    assert not (tmp_path / "report.html").exists()
