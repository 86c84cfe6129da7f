"""The chart: a real picture of what metrics.jsonl holds."""

import pathlib
import re

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from trainer.reports import JsonLines
from trainer.reports.chart import draw_terms
from trainer.reports.log import LogRecord, LogRecords


@pytest.fixture
def logged(tmp_path, run):
    """A folder with lines in it."""

    def write(lines):
        report = JsonLines(tmp_path)
        report.start(run())
        for line in lines:
            report.write(line)
        report.close()
        return tmp_path

    return write


def drawn(path):
    """The picture without what is white."""
    picture = matplotlib.image.imread(path)
    assert picture.ndim == 3
    assert min(picture.shape[:2]) > 300
    return picture[..., :3][picture[..., :3].min(axis=-1) < 0.99]


def test_it_is_a_picture_with_a_colour_for_each_term(logged, train_line, eval_line, tmp_path):
    folder = logged([*map(train_line, range(1, 30)), eval_line(30)])
    path = draw_terms(folder, tmp_path / "new" / "terms.png")
    assert path == tmp_path / "new" / "terms.png"
    pixels = drawn(path)
    for colour in ((0x1F, 0x77, 0xB4), (0xFF, 0x7F, 0x0E), (0, 0, 0)):  # C0, C1 and the black of the total
        near = np.abs(pixels - np.array(colour) / 255).max(axis=-1) < 0.02
        assert near.sum() > 100


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_values_without_a_logarithm_are_drawn_too(logged, tmp_path, value):
    values = {"loss/total": value, "terms/a/raw": value, "terms/a/weighted": value}
    lines = [LogRecords.of(LogRecord("train", step, values)) for step in (1, 2)]
    assert len(drawn(draw_terms(logged(lines), tmp_path / "terms.png"))) > 100


def test_the_legend_says_which_lines_are_training_where_evaluation_is_drawn_too(
    monkeypatch, logged, train_line, eval_line
):
    shown = []
    monkeypatch.setattr(Figure, "legend", lambda figure, handles, **settings: shown.append(handles))
    folder = logged([train_line(1), train_line(2)])
    draw_terms(folder, folder / "terms.png")
    folder = logged([train_line(1), train_line(2), eval_line(2)])
    draw_terms(folder, folder / "terms.png")
    (alone, both) = ([(line.get_label(), line.get_linestyle()) for line in handles] for handles in shown)
    assert both == [*alone, ("training", "-"), ("evaluation", ":")]


def test_a_single_line_is_enough(logged, train_line, tmp_path):
    assert len(drawn(draw_terms(logged([train_line(1)]), tmp_path / "terms.png"))) > 100


def test_where_nothing_was_logged_there_is_nothing_to_draw(tmp_path):
    with pytest.raises(ValueError, match="has logged nothing yet"):
        draw_terms(tmp_path, tmp_path / "terms.png")


def test_training_does_not_wait_for_what_draws_to_be_imported():
    modules = (pathlib.Path(__file__).parents[3] / "trainer").rglob("*.py")
    needed = re.compile(r"^(?:import|from) (?:matplotlib|trainer\.reports\.chart)", re.MULTILINE)
    assert [path.name for path in modules if needed.search(path.read_text())] == ["chart.py"]
