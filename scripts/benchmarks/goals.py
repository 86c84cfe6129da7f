"""Goals: bounds on how many times as much one case takes as another, and those of each workload."""

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Goal:
    """A bound on how many times as much one case takes as another; of several, the one that takes least is compared."""

    what: str
    of: Sequence[str]
    against: str
    at_least: float | None = None
    at_most: float | None = None

    def is_met_by(self, value: float) -> bool:
        """Returns whether a ratio keeps the bound."""
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)


# At least so many times our time, by the name of a workload.
FIT = {
    "tiny": 5.0,
    "large": 2.5,
    "unet": 1.1,
    "transformer": 1.1,
    "resnet_1m": 1.0,
    "dense_10m": 1.0,
    "transformer_10m": 1.0,
    "dense_70m": 1.0,
}
HAND = {
    "tiny": 0.97,
    "large": 0.95,
    "unet": 0.97,
    "transformer": 0.95,
    "resnet_1m": 0.97,
    "dense_10m": 0.97,
    "transformer_10m": 0.97,
    "dense_70m": 0.97,
}
JAX = {"tiny": 0.6, "large": 1.0}
# At least so many times our peak memory: ours is at most 1.05 times that of `fit`.
MEMORY = {"transformer_10m": 0.95, "dense_70m": 0.95}
