"""Places: what the panels of several columns have in common."""

import numpy as np

from trainer.reports.examples.places import as_image, bounds_of, placed_points, underlay


def test_points_are_those_that_the_model_puts_out_and_all_of_them_are_within_bounds(make_shown, rng):
    tensors = {"targets": rng.normal(size=[2, 5, 2]), "outputs": 9 * rng.normal(size=[2, 5, 2])}
    shown = make_shown(tensors)
    assert placed_points(shown) is tensors["outputs"]
    low, high = bounds_of(shown)
    for points in tensors.values():
        assert ((low < points) & (points < high)).all()
    np.testing.assert_allclose(*(high - low))
    assert placed_points(make_shown({"outputs": rng.normal(size=[2, 5, 3])})) is None


def test_an_image_has_its_colours_or_its_first_channels_side_by_side(rng):
    assert as_image(rng.normal(size=[2, 9, 8])).shape == (2, 9, 8)
    assert as_image(rng.normal(size=[2, 9, 8, 1])).shape == (2, 9, 8)
    assert as_image(rng.normal(size=[2, 9, 8, 4])).shape == (2, 9, 8, 3)
    assert as_image(rng.normal(size=[2, 9, 8, 7])).shape == (
        2,
        9,
        3 * 8 + 2,
    )


def test_what_is_under_a_map_is_the_first_input_of_its_size(make_shown, rng):
    shown = make_shown({"inputs.a": rng.normal(size=[2, 16, 16]), "inputs.b": rng.normal(size=[2, 8, 8, 3])})
    assert underlay(shown, (16, 16)).shape == (2, 16, 16)
    assert (underlay(shown, (8, 8)).min(), underlay(shown, (8, 8)).max()) >= (0.0, 0.5)
    assert underlay(shown, (9, 9)) is None
