"""The chart: a real picture of what metrics.jsonl holds."""

import itertools
import pathlib
import re

import matplotlib.image
import pytest

from objectives import ConfigurationError
from trainer.reports import JsonLines, palette
from trainer.reports.chart import draw_histories, draw_terms
from trainer.reports.history import History
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


@pytest.fixture
def figure():
    """Makes the figure of a run, given its values by tag at each step of training and of evaluation."""

    def make(train, evaluated=None, name="run"):
        histories = {"train": History(), "eval": History()}
        for split, values in (("train", train), ("eval", evaluated or {})):
            for step in range(1, 1 + max(map(len, values.values()), default=0)):
                record = {tag: numbers[step - 1] for tag, numbers in values.items()}
                histories[split].add(LogRecords.of(LogRecord(split, 10 * step, record)))
        return draw_histories(histories, name)

    return make


def of_terms(**values):
    """The values of terms of weight 1, by tag."""
    return {f"terms/{name}/{what}": found for name, found in values.items() for what in ("raw", "weighted")}


def texts(figure):
    """What is written beside each panel."""
    return [[text.get_text() for text in axes.texts] for axes in figure.axes]


def test_a_png_and_an_svg_are_of_the_width_of_a_column(logged, train_line, eval_line, tmp_path):
    folder = logged([*map(train_line, range(1, 30)), eval_line(30)])
    path = draw_terms(folder, tmp_path / "new" / "terms.png")
    assert path == tmp_path / "new" / "terms.png"
    assert matplotlib.image.imread(path).shape[1] == int(3.3 * 240)
    svg = path.with_suffix(".svg").read_text()
    for word in (folder.name, "data", "small", "total", "training", "evaluation"):
        assert f">{word}</text>" in svg, "text is text"


def test_each_term_has_its_line_and_its_name_at_the_end_of_it(figure):
    drawn = figure(of_terms(data=[3.0, 2.0], small=[1.0, 1.5]) | {"loss/total": [4.0, 3.5]})
    assert texts(drawn) == [["total", "data", "small"], ["data", "small"]]
    for axes, names in zip(drawn.axes, (["total", "data", "small"], ["data", "small"]), strict=True):
        known = {"total": palette.TOTAL, **palette.lines(["data", "small"])}
        training = [line for line in axes.lines if line.get_transform() == axes.transData and len(line.get_xdata())]
        assert [(line.get_color(), line.get_linestyle()) for line in training] == [
            (known[name].color, "-") for name in names
        ]
    heights = [text.get_position()[1] for text in drawn.axes[0].texts]
    assert heights == sorted(heights, reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 24])
def test_no_name_is_cut_or_on_another_however_many_terms(figure, count):
    values = of_terms(**{f"a_term_with_a_long_name_{i}": [1.0, 2.0] for i in range(count)})
    drawn = figure(values, name="a_run_of_$5_and_$6_^_that_is_much_longer_than_a_column_of_a_paper")
    drawn.canvas.draw()
    for axes in drawn.axes:
        boxes = [text.get_window_extent() for text in axes.texts]
        assert len(boxes) >= count
        assert max(box.x1 for box in boxes) <= drawn.bbox.width
        assert min(box.y0 for box in boxes) >= 0
        tops = sorted(boxes, key=lambda box: box.y0)
        assert all(below.y1 <= above.y0 + 1 for below, above in itertools.pairwise(tops))
    (title,) = drawn.texts
    assert title.get_window_extent().x1 <= drawn.bbox.width


@pytest.mark.parametrize("value", [0.0, -1.0, 1e-30])
def test_values_without_a_logarithm_are_drawn_too(figure, value):
    drawn = figure(of_terms(a=[value] * 3, b=[1.0] * 3))
    assert {"a", "b"} <= {text.removesuffix(" (0)") for text in texts(drawn)[1]}
    drawn.canvas.draw()


def test_an_axis_of_few_decades_has_labels_between_the_powers_of_ten(figure):
    axes, _ = figure(of_terms(data=[150.0, 3.0])).axes
    low, high = axes.get_ylim()
    ticks = [tick for tick in axes.get_yticks() if low <= tick <= high]
    assert ticks == pytest.approx([5, 10, 20, 50, 100])
    assert [axes.yaxis.get_major_formatter()(tick) for tick in ticks] == ["5", "10", "20", "50", "100"]


def test_a_term_of_weight_zero_has_its_name_where_it_has_no_line(figure):
    values = {"terms/a/raw": [1.0, 100.0], "terms/a/weighted": [1.0, 100.0]}
    drawn = figure(values | {"terms/b/raw": [1.0, 100.0], "terms/b/weighted": [0.0, 0.0]})
    assert [axes.get_yscale() for axes in drawn.axes] == ["log", "log"]
    assert texts(drawn) == [["total (0)", "a", "b (0)"], ["a", "b"]]


def test_evaluation_is_dots_and_the_legend_says_so_where_there_is_some(figure):
    values = of_terms(a=[2.0, 1.0])
    (alone, both) = (
        [text.get_text() for text in made.legends[0].texts] for made in (figure(values), figure(values, values))
    )
    assert (alone, both) == (["training"], ["training", "evaluation"])
    dots = [line for line in figure(values, values).axes[1].lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [2]


def test_a_single_record_is_seen(figure):
    (line,) = [line for line in figure(of_terms(a=[2.0])).axes[1].lines if line.get_marker() == "_"]
    assert [*line.get_xydata()[0]] == [10.0, 2.0]


def test_a_long_run_has_few_points(figure):
    drawn = figure(of_terms(a=[1.0] * 600), of_terms(a=[1.0] * 600))
    line, dots, _ = drawn.axes[1].lines
    assert len(line.get_xdata()) <= 256
    assert len(dots.get_xdata()) / dots.get_markevery() <= 16


def test_where_nothing_was_logged_there_is_nothing_to_draw(tmp_path):
    with pytest.raises(ConfigurationError, match="has logged nothing yet"):
        draw_terms(tmp_path, tmp_path / "terms.png")


def test_training_does_not_wait_for_what_draws_to_be_imported():
    modules = (pathlib.Path(__file__).parents[3] / "trainer").rglob("*.py")
    needed = re.compile(r"^(?:import|from) (?:matplotlib|trainer\.reports\.chart)", re.MULTILINE)
    assert [path.name for path in modules if needed.search(path.read_text())] == ["chart.py"]
