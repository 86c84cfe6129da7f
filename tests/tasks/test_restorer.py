"""The net that restores pictures: its shapes, and the texture that it reports."""

import numpy as np

from tasks.photographs import texture
from tasks.restorer import restorer


def test_it_keeps_the_size_and_reports_the_texture_of_what_it_makes():
    outputs = restorer(size=16, channels=4)(np.random.default_rng(0).random([2, 16, 16, 3], np.float32))
    assert outputs["image"].shape == (2, 16, 16, 3)
    np.testing.assert_allclose(outputs["texture"], texture(np.asarray(outputs["image"])), atol=2e-3)
