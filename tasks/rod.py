"""A rod that cools, its exact temperature, and the equation that holds in it.

What is simulated:

- Heat flows along the rod from warm to cold: `u_t = diffusivity * u_xx` for the temperature u at place x and time t.
- The ends lie in ice and stay at 0. At first the temperature is a sum of sine waves that fit between them.
- Each wave then keeps its shape and fades, the k-th one by `exp(-diffusivity * (k pi)^2 * t)`: short waves first. So
  the temperature is known exactly everywhere (Carslaw and Jaeger, Conduction of Heat in Solids, 1959, section 3.3).

Places are in lengths of the rod, times run from 0 to 1, temperatures are in units of the first wave.
"""

import dataclasses

import gin
import numpy as np
import tensorflow as tf


@gin.register(module="tasks")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Rod:
    """What a rod is made of, and how warm it is at first.

    Formula: `u(x, t) = sum over k of waves[k - 1] * exp(-diffusivity * (k pi)^2 * t) * sin(k pi x)`.

    Attributes:
      diffusivity: how fast heat spreads, in squared lengths of the rod per unit of time.
      waves: the amplitude of each sine wave at first, from the longest wave on.

    >>> float(Rod(diffusivity=0.1, waves=(2.0,)).temperature(0.5, 0.0))
    2.0
    """

    diffusivity: float = 0.1
    waves: tuple[float, ...] = (1.0, 0.0, 0.5)

    def temperature(self, x, t) -> np.ndarray:
        """The exact temperature at places and times of one shape."""
        turns = np.pi * np.arange(1, 1 + len(self.waves))
        x, t = np.asarray(x, np.float64)[..., None], np.asarray(t, np.float64)[..., None]
        return (np.exp(-self.diffusivity * turns**2 * t) * np.sin(turns * x)) @ np.asarray(self.waves)


@gin.register(module="tasks")
def heat_residual(u_t: tf.Tensor, u_xx: tf.Tensor, diffusivity: float = 0.1) -> tf.Tensor:
    """Returns what is 0 where the heat equation holds, for `PdeResidual.fn`.

    Args:
      u_t: the derivative of the temperature by time.
      u_xx: its second derivative by place, of the same shape.
      diffusivity: that of the rod.

    >>> float(heat_residual(tf.constant(-1.0), tf.constant(-10.0), diffusivity=0.1))
    0.0
    """
    return u_t - diffusivity * u_xx
