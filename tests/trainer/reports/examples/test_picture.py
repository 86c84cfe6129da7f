"""The picture of examples: its layout, and the numbers beside it."""

import itertools

import numpy as np
import pytest

from trainer.reports.examples.picture import pictures


@pytest.fixture
def shown(make_shown, rng):
    tensors = {"inputs": rng.random([2, 9, 9]), "targets": rng.integers(0, 2, [2, 9, 9])}
    tensors["outputs"] = rng.random([2, 9, 9, 2]).astype(np.float32)
    return make_shown(tensors, {"data": rng.random([2, 9, 9]), "small": np.array([0.5, np.nan])})


@pytest.mark.slow
def test_there_is_a_panel_for_each_example_in_each_column_and_a_bar_for_each_scale(shown):
    (picture,) = pictures(shown, step=1200, terms=["data", "small", "decay"])
    assert (picture.path, picture.tag, picture.name) == ("examples", "examples", "examples")
    axes = picture.figure().axes
    titles = [one.get_title() for one in axes if one.get_title()]
    assert titles == ["inputs", "targets", "outputs", "data\n× 0.5", "small\n× 0.5"]  # noqa: RUF001 (as it is shown)
    assert len(axes) == 2 * 5 + 3
    assert picture.png().startswith(b"\x89PNG")


def test_the_data_are_the_means_of_each_term_on_each_example(shown):
    (picture,) = pictures(shown, step=1, terms=["data", "small"])
    assert picture.data["examples"] == [0, 1]
    assert picture.data["terms"]["data"]["values"] == pytest.approx(shown.terms["data"].totals.mean(axis=(1, 2)))
    assert picture.data["terms"]["small"]["weight"] == 0.5


@pytest.mark.slow
def test_names_are_no_formulas(make_shown):
    odd = r"a$_^$\\frac"
    tensors = {"inputs": np.array([odd.encode()]), "targets": np.array([0]), "outputs.$_$": np.array([[0.1, 0.2]])}
    shown = make_shown(tensors, {"term": np.ones([1])}, class_names={"targets": [odd, odd]})
    for picture in pictures(shown, step=1, terms=["term"]):
        assert picture.png().startswith(b"\x89PNG")


def test_several_pictures_are_numbered(make_shown):
    terms = {f"t{i}": np.ones([1, 9, 9]) for i in range(20)}
    found = pictures(make_shown({"inputs": np.ones([1, 9, 9])}, terms), step=1, terms=[*terms])
    assert [one.name for one in found] == ["examples", "examples_2", "examples_3"]
    assert [name for one in found for name in one.data["terms"]] == [*terms]


@pytest.mark.slow
def test_no_title_is_on_another_and_nothing_over_the_edge(shown, make_shown):
    terms = {f"a_term_with_a_very_long_name_{i}": np.ones([2, 9, 30]) for i in range(3)}
    tensors = {**shown.tensors, "outputs.with_a_very_long_name": np.ones([2, 9, 30])}
    (picture,) = pictures(make_shown(tensors, terms), step=1, terms=[*terms])
    figure = picture.figure()
    figure.canvas.draw()
    titles = [axes.title.get_window_extent() for axes in figure.axes if axes.get_title()]
    assert len(titles) == 7
    assert all(left.x1 <= right.x0 for left, right in itertools.pairwise(titles))
    width, height = figure.bbox.width, figure.bbox.height
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= width
        assert box.y1 <= height
