"""Term columns: where a term objects."""

import numpy as np
import pytest

from trainer.reports.examples.objections import CurveValues, HeatMaps, PairValues, PointValues, Tiles
from trainer.reports.examples.shown import Values
from trainer.reports.examples.term_columns import of_term


@pytest.mark.parametrize(
    ("tensors", "shape", "kind"),
    [
        ({"inputs": [2, 9, 9, 1]}, [2, 9, 9], HeatMaps),
        ({"inputs": [2, 9, 9, 1]}, [2, 4, 4, 64], HeatMaps),
        ({"inputs": [2, 9, 9, 1]}, [2, 50], CurveValues),
        ({"inputs": [2, 9, 9, 1]}, [2], Tiles),
        ({"outputs": [2, 5, 2]}, [2, 5], PointValues),
        ({"outputs": [2, 5, 2]}, [2, 5, 2], PointValues),
        ({"outputs": [2, 5, 2]}, [2, 10], PairValues),
        ({"outputs": [2, 5, 2]}, [2], Tiles),
    ],
)
def test_values_are_drawn_where_they_are(make_shown, drawn, rng, tensors, shape, kind):
    tensors = {key: rng.normal(size=size) for key, size in tensors.items()}
    column = of_term(make_shown(tensors, {"smooth": rng.random(shape)}), "smooth")
    assert type(column) is kind
    assert drawn(column, 1).has_data() or drawn(column, 1).texts


def test_the_title_has_the_weight_and_the_notes_the_mean_of_each_example(make_shown):
    values = Values(np.array([[1.0, 3.0, 0.0], [0.0, 0.0, 0.0]]), np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    column = of_term(make_shown({"inputs": np.zeros([2, 9, 9])}, {"near": values}, weights={"near": 0.25}), "near")
    assert column.title == "near\n× 0.25"  # noqa: RUF001 (as it is shown)
    assert column.notes == ["mean 2", "masked"]


def test_a_term_without_weight_and_one_of_several_tensors_say_so(make_shown):
    shown = make_shown(
        {"inputs": np.zeros([2, 9, 9])}, {"small/h1": np.ones([2])}, weights={"small": 0.0}, of_tensors={"small": 12}
    )
    assert of_term(shown, "small/h1").title == "small/h1\nweight 0, 1 of 12 tensors"
    assert of_term(shown, "small/h1").term == "small"


def test_a_map_of_the_size_of_an_input_is_over_it(make_shown, rng):
    shown = make_shown({"inputs": rng.random([2, 9, 9])}, {"a": np.ones([2, 9, 9]), "b": np.ones([2, 8, 8])})
    assert of_term(shown, "a").under.shape == (2, 9, 9)
    assert of_term(shown, "b").under is None
