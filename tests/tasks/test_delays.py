"""The physics of measured delays, and networks that keep their distance."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from tasks.delays import Country, Links, distances_between, pair_distances, scatter

EXACT = Links(detour_spread=0.0, processing_ms=0.0, queueing_ms=0.0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def distances(rng):
    return distances_between(rng.uniform(-6, 6, [200, 8, 2]))


def off_diagonal(matrix):
    return matrix[..., ~np.eye(matrix.shape[-1], dtype=bool)]


def test_light_takes_5_microseconds_a_km(rng):
    one_unit = np.array([[0.0, 1.0], [1.0, 0.0]])  # 50 km
    assert EXACT.delays(one_unit, rng)[0, 1] == pytest.approx(50 * 0.005)


def test_without_noise_delay_is_linear_in_distance(distances, rng):
    links = dataclasses.replace(EXACT, processing_ms=0.2)
    expected = off_diagonal(0.2 + 0.25 * distances)
    np.testing.assert_allclose(off_diagonal(links.delays(distances, rng)), expected, rtol=1e-12)


def test_delays_are_symmetric_and_zero_to_oneself(distances, rng):
    delays = Links().delays(distances, rng)
    np.testing.assert_array_equal(delays, delays.transpose(0, 2, 1))
    assert not np.diagonal(delays, axis1=1, axis2=2).any()


def test_nothing_is_faster_than_light_in_fibre(distances, rng):
    assert (Links().delays(distances, rng) >= EXACT.delays(distances, rng)).all()


def test_detours_lie_between_the_straight_line_and_the_longest_route(distances, rng):
    links = dataclasses.replace(EXACT, detour_spread=0.6)
    factor = off_diagonal(links.delays(distances, rng)) / off_diagonal(EXACT.delays(distances, rng))
    assert factor.min() >= 1.0 - 1e-12
    assert factor.max() <= 1.6
    assert factor.mean() == pytest.approx(1.3, abs=0.01)


@pytest.mark.parametrize("probes", [1, 10])
def test_the_fastest_of_many_probes_waits_exponentially_and_shorter(rng, probes):
    links = dataclasses.replace(EXACT, queueing_ms=2.0, probes=probes)
    waits = off_diagonal(links.delays(np.zeros([2000, 8, 8]), rng))
    assert waits.mean() == pytest.approx(2.0 / probes, rel=0.03)
    assert waits.std() == pytest.approx(waits.mean(), rel=0.05)


def test_distances_are_those_of_scipy(rng):
    places = rng.normal(size=[7, 2])
    np.testing.assert_allclose(pair_distances(places), pdist(places))
    np.testing.assert_allclose(distances_between(places), squareform(pdist(places)))


def test_nodes_keep_the_margin_and_stay_in_the_country(rng):
    country = Country(margin=0.9)
    places = country.networks(300, rng)
    assert places.shape == (300, 12, 2)
    assert pair_distances(places).min() >= 0.9
    assert np.abs(places).max() <= country.half_width


def test_nodes_of_a_town_stand_together(rng):
    country = Country()
    towns = country.networks(300, rng).reshape(300, country.towns, country.nodes_per_town, 2)
    assert np.ptp(towns, axis=2).max() <= 2 * country.town_half_width


def test_points_that_cannot_fit_are_refused(rng):
    with pytest.raises(ValueError, match="hardly fit"):
        scatter(1, 4, 1.0, margin=3.0, rng=rng)
