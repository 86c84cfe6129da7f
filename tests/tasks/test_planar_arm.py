"""The arm and its paths: kinematics against rotation matrices, and what motors hold."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tasks.planar_arm import PlanarArm, requested_paths


@pytest.fixture
def controls():
    return np.random.default_rng(0).uniform(-5, 5, [3, 7, 4])


def test_the_hand_is_where_rotations_one_after_the_other_take_it(controls):
    arm = PlanarArm(links=(0.4, 0.3, 0.2, 0.1), step_degrees=10.0)
    for turns, found in zip(controls.reshape(-1, 4), np.reshape(arm.hand(controls), [-1, 2]), strict=True):
        end = np.zeros(3)
        for link, turn in reversed([*zip(arm.links, turns, strict=True)]):
            end = Rotation.from_euler("z", 10.0 * turn, degrees=True).apply([link, 0.0, 0.0] + end)
        np.testing.assert_allclose(found, end[:2], atol=1e-6)


def test_links_keep_their_lengths_from_the_shoulder_to_the_hand(controls):
    arm = PlanarArm(links=(0.4, 0.3, 0.2, 0.1))
    places = arm.joints(controls)
    assert not places[..., 0, :].any()
    lengths = np.linalg.norm(np.diff(places, axis=-2), axis=-1)
    np.testing.assert_allclose(lengths, np.broadcast_to(arm.links, lengths.shape), rtol=1e-5)
    np.testing.assert_allclose(places[..., -1, :], arm.hand(controls), atol=1e-6)


def test_motors_hold_whole_steps_within_the_limits_that_are_nearest(controls):
    held = PlanarArm(limit=3).held(controls)
    steps = np.arange(-3, 4)
    np.testing.assert_array_equal(held, steps[np.abs(controls[..., None] - steps).argmin(axis=-1)])


def test_requested_paths_are_smooth_and_within_reach():
    paths = requested_paths(500, points=16, length=2.0, rng=np.random.default_rng(0))
    distance = np.linalg.norm(paths, axis=-1)
    assert 0.8 <= distance.min() < 1.0
    assert 1.6 < distance.max() <= 1.8
    assert np.abs(np.rad2deg(np.arctan2(paths[..., 1], paths[..., 0]))).max() <= 60.0
    assert np.linalg.norm(np.diff(paths, axis=1), axis=-1).max() < 0.6
