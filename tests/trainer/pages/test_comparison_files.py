"""Comparison files: the ending of a file says what is in it."""

import pytest

from trainer.comparison.comparison import compare
from trainer.pages.comparison_files import write_comparison


@pytest.fixture
def comparison(run_folder):
    return compare([run_folder()])


@pytest.mark.parametrize(
    ("name", "start"), [("a.md", "|  | "), ("a.csv", "run,folder,"), ("a.HTML", "<!DOCTYPE html>")]
)
def test_a_file_is_of_the_format_that_its_ending_names(comparison, tmp_path, name, start):
    path = write_comparison(comparison, tmp_path / name)
    assert path.read_text().startswith(start)


def test_html_has_the_table_and_loads_nothing(comparison, tmp_path):
    text = write_comparison(comparison, tmp_path / "a.html").read_text()
    assert "<td>evaluated at step</td>" in text
    assert "src=" not in text
    assert len(text) < 20_000
