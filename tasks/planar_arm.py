"""A planar arm that stepper motors turn, and the paths that its hand is to follow.

What is simulated:

- Links of given lengths lie in a plane, one behind the other. Each joint turns its link, and all behind it, by its
  angle against the link before: the hand is at the sum of the links (Craig, Introduction to Robotics, 2005, chapter 3).
- A stepper motor holds whole steps alone, and a joint has a limit on both sides.
- More joints than the plane has dimensions: many angles reach the same place, some of them nearly on whole steps.
"""

import dataclasses

import gin
import numpy as np
from keras import ops


@gin.register(module="tasks")
@dataclasses.dataclass(frozen=True, kw_only=True)
class PlanarArm:
    """What an arm is made of.

    Formula: the hand is at `sum over j of links[j] * (cos a_j, sin a_j)`, where a_j is the sum of the first j angles.

    Attributes:
      links: the length of each link in m, from the shoulder on.
      step_degrees: the angle of one step of a motor.
      limit: the steps that a joint can turn to either side.

    >>> arm = PlanarArm(links=(1.0, 0.5), step_degrees=15.0)
    >>> arm.hand(np.array([[0.0, 6.0]])).numpy().round(3)  # the second link turned by 90 degrees
    array([[1. , 0.5]])
    """

    links: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)
    step_degrees: float = 15.0
    limit: int = 5

    def hand(self, controls):
        """The place of the hand in m `[..., 2]` for the turns of the joints in steps `[..., joints]`, as a tensor."""
        return ops.sum(self._along(controls), axis=-2)

    def joints(self, controls) -> np.ndarray:
        """The places of shoulder, joints and hand in m `[..., 1 + joints, 2]`, to draw the arm."""
        ends = np.cumsum(self._along(controls), axis=-2)
        return np.concatenate([np.zeros_like(ends[..., :1, :]), ends], axis=-2)

    def held(self, controls: np.ndarray) -> np.ndarray:
        """What the motors hold where controls are asked for: the nearest whole steps within the limits.

        >>> PlanarArm(limit=5).held(np.array([0.4, 2.6, 7.2])).tolist()
        [0.0, 3.0, 5.0]
        """
        return np.clip(np.round(controls), -self.limit, self.limit)

    def _along(self, controls):
        """Returns the vector along each link, `[..., joints, 2]`."""
        angles = ops.cumsum(controls, axis=-1) * np.deg2rad(self.step_degrees)
        return ops.stack([ops.cos(angles), ops.sin(angles)], axis=-1) * np.asarray(self.links)[:, None]


def requested_paths(count: int, *, points: int, length: float, rng: np.random.Generator) -> np.ndarray:
    """Draws smooth paths `[count, points, 2]` in m, in front of an arm of some length and within its reach.

    Distance and direction are each a mean and two sine waves of random phases and frequencies: distances are from 0.4
    to 0.9 of the length, directions within 60 degrees to either side.
    """
    s = np.linspace(0.0, 1.0, points)

    def wave():
        swing, turns, phase = rng.uniform(-1, 1, (3, count, 1))
        return swing * np.sin(2 * np.pi * ((0.6 + 0.4 * turns) * s + phase))

    radius = length * (0.65 + 0.125 * (wave() + wave()))
    direction = np.deg2rad(30) * (wave() + wave())
    return np.stack([radius * np.cos(direction), radius * np.sin(direction)], axis=-1).astype(np.float32)
