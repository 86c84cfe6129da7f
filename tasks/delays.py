"""Networks in the plane, and the delays measured between their nodes.

What is simulated, and why it is hard:

- Nodes stand in towns, several to a town, never nearer to each other than a margin.
- Light in glass travels at c / 1.5, about 200,000 km/s: 100 km of fibre add 0.5 ms one way.
- Cables follow roads, rails and coasts: a route is longer than the straight line, by a factor that differs from pair to
  pair. Over hundreds of km, that blurs a place by more than the size of a town.
- A packet takes a fixed time to process and waits in queues for an exponentially distributed one. Of several probes
  the fastest is kept; of k exponential waits it has the k-th part of the mean.
- Delays alone know neither north nor origin: a few landmarks at known places pin the map down.
"""

import dataclasses

import gin
import numpy as np

UNIT_KM = 50.0  # coordinates are in units of 50 km
FIBRE_KM_PER_MS = 200.0


@gin.register(module="tasks")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Links:
    """How a distance becomes a measured one-way delay.

    Formula: `delay = detour * km / (200 km/ms) + processing + wait`, with `detour ~ 1 + spread * Uniform(0, 1)` and
    `wait ~ Exponential(mean = queueing / probes)`, both drawn anew for each pair of nodes.

    Attributes:
      detour_spread: by how much the longest route exceeds the straight line, as a part of it.
      processing_ms: fixed time, in milliseconds.
      queueing_ms: mean wait of one probe, in milliseconds.
      probes: of how many probes the fastest is kept.

    >>> exact = Links(detour_spread=0.0, processing_ms=0.25, queueing_ms=0.0)
    >>> exact.delays(np.array([[0.0, 8.0], [8.0, 0.0]]), np.random.default_rng(0))  # 400 km
    array([[0.  , 2.25],
           [2.25, 0.  ]])
    """

    detour_spread: float = 0.6
    processing_ms: float = 0.2
    queueing_ms: float = 2.0
    probes: int = 10

    def delays(self, distances: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Delays in ms for distances in units: both `[..., nodes, nodes]`, symmetric, 0 on the diagonal."""
        detour = 1.0 + self.detour_spread * rng.random(distances.shape)
        wait = self.queueing_ms / self.probes * rng.standard_exponential(distances.shape)
        delays = detour * distances * UNIT_KM / FIBRE_KM_PER_MS + self.processing_ms + wait
        # A pair is measured once: what was drawn below the diagonal is dropped.
        above = np.triu(delays, k=1)
        return above + np.swapaxes(above, -1, -2)


@gin.register(module="tasks")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Country:
    """A square in which networks are built, all lengths in units.

    Attributes:
      half_width: the square is [-half_width, half_width] along both axes; a landmark stands at each corner.
      towns: how many a network reaches.
      nodes_per_town: how many nodes stand in each, one after the other in the arrays.
      town_half_width: a town is a square, too.
      margin: the smallest distance of two nodes.
    """

    half_width: float = 6.0
    towns: int = 4
    nodes_per_town: int = 3
    town_half_width: float = 1.2
    margin: float = 1.0

    @property
    def landmarks(self) -> np.ndarray:
        """The places that are known, `[4, 2]`."""
        return self.half_width * np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])

    def networks(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Places of the nodes of random networks: `[count, towns * nodes_per_town, 2]`."""
        apart = 2 * self.town_half_width * np.sqrt(2) + self.margin  # no town reaches into another's margin
        centres = scatter(count, self.towns, self.half_width - self.town_half_width, margin=apart, rng=rng)
        around = scatter(count * self.towns, self.nodes_per_town, self.town_half_width, margin=self.margin, rng=rng)
        return (centres[:, :, None] + around.reshape(count, self.towns, -1, 2)).reshape(count, -1, 2)


def scatter(groups: int, points: int, half_width: float, *, margin: float, rng: np.random.Generator) -> np.ndarray:
    """Draws random points in [-half_width, half_width]^2, at least `margin` apart in a group: `[groups, points, 2]`.

    A group in which two are nearer is drawn anew, as a whole: what is left is uniform over all that is allowed.

    Raises:
      ValueError: the square is too small for so many points.

    >>> bool(pair_distances(scatter(50, 3, 1.0, margin=0.8, rng=np.random.default_rng(0))).min() >= 0.8)
    True
    """
    places = np.empty([groups, points, 2])
    crowded = np.arange(groups)
    for _ in range(10_000):
        places[crowded] = rng.uniform(-half_width, half_width, [len(crowded), points, 2])
        crowded = crowded[(pair_distances(places[crowded]) < margin).any(axis=-1)]
        if not len(crowded):
            return places
    raise ValueError(f"{points} points, {margin} apart, hardly fit a square of side {2 * half_width}; take fewer")


def distances_between(places: np.ndarray) -> np.ndarray:
    """Distances `[..., n, n]` of points `[..., n, 2]`."""
    return np.linalg.norm(places[..., :, None, :] - places[..., None, :, :], axis=-1)


def pair_distances(places: np.ndarray) -> np.ndarray:
    """Returns the distance of each pair of the points `[..., n, 2]`, once: `[..., n * (n - 1) / 2]`.

    >>> pair_distances(np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]]))
    array([5., 3., 4.])
    """
    first, second = np.triu_indices(places.shape[-2], k=1)
    return np.linalg.norm(places[..., first, :] - places[..., second, :], axis=-1)
