"""scripts/verification/data_speed.py: a row for each kind of source, and memory apart from pages of files."""

import pathlib
import re

import pytest

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "data_speed.md"
KINDS = {"ArraySource", "NpzSource", "TFRecordSource", "ImageFolderSource", "DatasetSource", "fit"}


def rows(text):
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    return {source: (time, ratio) for source, time, ratio, *_ in cells[2:]}


@pytest.mark.slow
def test_each_kind_of_source_is_measured_beside_arrays(scripts):
    given = ("--rounds=1", "--seconds=0", "--gigabytes=0.01")
    process = scripts({"short": ("verification/data_speed.py", *given)})["short"]
    assert process.returncode == 0, process.stderr
    found = rows(process.stdout)
    assert {re.split(r"[ ,]", source)[0] for source in found} == KINDS
    assert found["ArraySource, on the device"][1] == "1.00"
    assert re.search(r"\(`RssAnon`\) was [\d,]+ MiB then", process.stdout)


def test_the_page_has_these_kinds_and_stayed_within_two_gigabytes_of_memory():
    text = PAGE.read_text()
    assert {re.split(r"[ ,]", source)[0] for source in rows(text)} == KINDS
    assert re.search(r"a memory map of 8\.0 GiB", text)
    (most,) = re.findall(r"and\s+([\d,]+) MiB at the most", text)
    assert int(most.replace(",", "")) < 2000
