"""Objections: colours of values, of what is masked and of what is not finite."""

import numpy as np
import pytest

from trainer.reports.examples.objections import CurveValues, HeatMaps, PairValues, Tiles


def test_stronger_objections_are_darker_and_masked_ones_white_on_any_input():
    values = np.array([[[0.0, 1.0], [2.0, np.nan]]])
    column = HeatMaps(title="x", values=values, under=np.ones([1, 2, 2]))
    light = column.colours(0).mean(axis=-1)
    assert light[0, 0] > light[0, 1] > light[1, 0]
    assert light[1, 1] == 1.0
    assert [text for _, text in column.legend] == ["masked"]


def test_a_map_over_an_input_shows_it_faintly_but_not_where_it_is_masked(drawn):
    column = HeatMaps(title="x", values=np.array([[[0.0, 0.0, np.nan]]]), under=np.array([[[0.0, 1.0, 1.0]]]))
    zero, over_light, masked = drawn(column).images[0].get_array()[0].mean(axis=-1)
    assert zero > over_light > 0.6
    assert masked == 1.0


def test_what_is_not_finite_has_a_colour_of_its_own_and_no_effect_on_the_scale():
    column = HeatMaps(title="x", values=np.array([[[0.0, 3.0], [np.inf, -np.inf]]]))
    assert column.scale[1:] == (0.0, 3.0)
    np.testing.assert_array_equal(column.colours(0)[1, 0], column.colours(0)[1, 1])
    assert [text for _, text in column.legend] == ["not finite"]


def test_pairs_without_a_value_are_not_linked(drawn):
    points = np.array([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    bounds = (np.array([-1.0, -1.0]), np.array([2.0, 2.0]))
    column = PairValues(title="x", values=np.array([[0.0, 0.5, np.nan]]), points=points, bounds=bounds)
    (link,) = drawn(column).lines
    np.testing.assert_array_equal(link.get_xydata(), points[0, [0, 2]])


def test_a_sequence_has_strokes_of_the_height_of_its_values(drawn):
    column = CurveValues(title="x", values=np.array([[1.0, np.nan, 4.0, np.inf]]))
    (strokes,) = drawn(column).collections
    assert [segment[:, 1].tolist() for segment in strokes.get_segments()] == [[0, 1], [0, 0], [0, 4], [0, 4]]
    assert [text for _, text in column.legend] == ["masked", "not finite"]


@pytest.mark.parametrize(("value", "text"), [(0.12345, "0.123"), (np.nan, "masked"), (np.inf, "inf")])
def test_a_single_value_is_written_out(drawn, value, text):
    assert drawn(Tiles(title="x", values=np.array([value]))).texts[0].get_text() == text
