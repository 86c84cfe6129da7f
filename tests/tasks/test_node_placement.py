"""Placing nodes: data, measures against NumPy, and the picture."""

import dataclasses

import matplotlib.image
import numpy as np
import pytest
from scipy.optimize import least_squares

from tasks import NodePlacement
from tasks.delays import Country, Links
from tasks.node_placement import placement_quality


@pytest.fixture
def true(networks):
    return networks.eval.arrays["targets"]


def test_data_is_the_same_for_the_same_seed_and_differs_for_another(networks):
    again, other = dataclasses.replace(networks), dataclasses.replace(networks, seed=1)
    np.testing.assert_array_equal(networks.train.arrays["inputs"], again.train.arrays["inputs"])
    assert not np.array_equal(networks.train.arrays["inputs"], other.train.arrays["inputs"])


def test_no_network_is_in_both_parts(networks):
    places = [{network.tobytes() for network in part.arrays["targets"]} for part in (networks.train, networks.eval)]
    assert not places[0] & places[1]


def test_the_model_turns_delays_into_places(networks):
    delays = networks.eval.arrays["inputs"]
    assert delays.shape == (32, 16, 16)
    assert tuple(networks.build_model()(delays).shape) == networks.eval.arrays["targets"].shape == (32, 12, 2)


def test_delays_to_the_landmarks_determine_a_place():
    exact = NodePlacement(eval_networks=3, links=Links(detour_spread=0.0, processing_ms=0.0, queueing_ms=0.0))
    landmarks, source = Country().landmarks, exact.eval.arrays
    for delays, places in zip(source["inputs"], source["targets"], strict=True):
        units = delays[4:, :4] * 4.0  # 0.25 ms a unit
        for measured, place in zip(units, places, strict=True):
            found = least_squares(lambda p, d=measured: np.linalg.norm(landmarks - p, axis=-1) - d, x0=[0.1, 0.1]).x
            np.testing.assert_allclose(found, place, atol=1e-3)


def test_a_right_answer_is_measured_as_right(networks, true, says):
    assert networks.measure(says(true)) == {
        "placement_error_km": 0.0,
        "overlaps_per_network": 0.0,
        "outside_percent": 0.0,
    }


def test_error_is_the_mean_distance_in_km(true):
    quality = placement_quality(true, true + np.array([3.0, 4.0]), margin=1.0, half_width=6.0)
    assert quality["placement_error_km"] == pytest.approx(250.0, rel=1e-5)


def test_nodes_on_one_spot_overlap_pair_by_pair(networks, true, says):
    measures = networks.measure(says(np.zeros_like(true)))
    assert measures["overlaps_per_network"] == 12 * 11 / 2


def test_a_node_beyond_either_border_is_outside_once():
    places = np.array([[[0.0, 0.0], [7.0, -7.0], [0.0, 6.5], [6.0, 6.0]]])
    assert placement_quality(places, places, margin=0.1, half_width=6.0)["outside_percent"] == 50.0


def test_the_picture_has_a_row_for_each_model(networks, true, says, tmp_path):
    (one,) = networks.draw(says(true), tmp_path / "one")
    (two,) = networks.draw_models({"plain": says(true), "with terms": says(true + 1.0)}, tmp_path / "two")
    (height, width, _), (higher, as_wide, _) = (matplotlib.image.imread(file).shape for file in (one, two))
    assert width == as_wide > 1000
    assert higher - height > 400
