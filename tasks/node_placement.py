"""NodePlacement: where the nodes of a network are, told from the delays between them."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping
from typing import ClassVar

import gin
import keras
import numpy as np
from keras import layers

from objectives import Key
from tasks.delays import UNIT_KM, Country, Links, distances_between, pair_distances
from tasks.placement_map import draw_placements
from trainer import ArraySource, Measure, Task
from trainer.task import Shape


@gin.register(module="tasks")
@dataclasses.dataclass(frozen=True, kw_only=True)
class NodePlacement(Task):
    """Learns the coordinates of network nodes from the delays between them, with a dense net.

    Several nodes share a town, and delays blur a place by more than the size of a town: a squared error puts the nodes
    of a town on top of each other, which is useless for drawing or wiring them.

    Over five seeds, each term does what it is for: the one on overlaps takes away a third of them, the one on the range
    more than a third of the places outside of the map. In the mean of these seeds each does so at some cost of the
    other, so that with all terms more places are outside than with none of both, 0.72 % instead of 0.56 %, and neither
    lowers the error of a place; of that, five seeds are no proof.

    Keys: `inputs` are delays in ms `[batch, landmarks + nodes, landmarks + nodes]`, the landmarks first; `targets`
    and `outputs` are places in units of 50 km, `[batch, nodes, 2]`.

    Attributes:
      seed: the seed of the networks and their delays.
      train_networks: the number of networks in the training data.
      eval_networks: the number of networks in the evaluation data.
      country: how networks are laid out.
      links: how distances become delays.
      width: the width of the hidden layers; the last one, called 'bottleneck', has half of it.
    """

    seed: int = 0
    train_networks: int = 20_000
    eval_networks: int = 1_000
    country: Country = Country()
    links: Links = Links()
    width: int = 256

    measures: ClassVar[Mapping[str, Measure]] = {
        "placement_error_km": Measure("the mean distance of a node from where it is, in km", better="less"),
        "overlaps_per_network": Measure(
            "the mean number of pairs nearer to each other than the margin, 50 km by default, which no true pair is",
            better="less",
        ),
        "outside_percent": Measure("nodes beyond the country's borders, in per cent", better="less"),
    }

    @functools.cached_property
    def train(self) -> ArraySource:
        """The training data: networks with their delays and places."""
        return self._measured(self.train_networks, stream=1)

    @functools.cached_property
    def eval(self) -> ArraySource:
        """The evaluation data: other networks of the same kind."""
        return self._measured(self.eval_networks, stream=2)

    def build_model(self) -> keras.Model:
        """Builds a dense net from `[batch, landmarks + nodes, landmarks + nodes]` to `[batch, nodes, 2]`."""
        nodes = self.country.towns * self.country.nodes_per_town
        measured = nodes + len(self.country.landmarks)
        return keras.Sequential(
            [
                keras.Input([measured, measured], name="delays"),
                layers.Flatten(name="flat"),
                # Delays of 0 to about 6 ms become numbers of about -1 to 1.
                layers.Rescaling(1 / 3, offset=-1.0, name="scaled"),
                layers.Dense(self.width, activation="relu", name="hidden1"),
                layers.Dense(self.width, activation="relu", name="hidden2"),
                layers.Dense(self.width // 2, activation="relu", name="bottleneck"),
                layers.Dense(2 * nodes, name="coordinates"),
                layers.Reshape([nodes, 2], name="places"),
            ],
            name="placement",
        )

    @property
    def measured_shapes(self) -> Mapping[Key, Shape | list[Shape]]:
        """Places in the plane, of as many nodes as there are."""
        return dict.fromkeys(("targets", "outputs"), ("nodes", 2))

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Measures how far nodes are from their true places, and what is impossible in the resulting map."""
        arrays = self.eval.arrays
        return placement_quality(
            arrays["targets"],
            model.predict(arrays["inputs"], batch_size=1000, verbose=0),
            margin=self.country.margin,
            half_width=self.country.half_width,
        )

    def draw_models(self, models: Mapping[str, keras.Model], folder: pathlib.Path) -> list[pathlib.Path]:
        """Draws true and predicted places of three networks and marks pairs that overlap: `placement.png`."""
        delays, true = (self.eval.arrays[name][:3] for name in ("inputs", "targets"))
        predicted = {name: model.predict(delays, verbose=0) for name, model in models.items()}
        return [draw_placements(folder / "placement.png", self.country, true, predicted)]

    def _measured(self, networks: int, *, stream: int) -> ArraySource:
        rng = np.random.default_rng([self.seed, stream])
        places = self.country.networks(networks, rng)
        landmarks = np.broadcast_to(self.country.landmarks, (networks, *self.country.landmarks.shape))
        delays = self.links.delays(distances_between(np.concatenate([landmarks, places], axis=1)), rng)
        return ArraySource(delays, places)


def placement_quality(true: np.ndarray, predicted: np.ndarray, *, margin: float, half_width: float) -> dict[str, float]:
    """Measures how good places `[networks, nodes, 2]` are, in units of 50 km.

    Returns:
      The numbers that `NodePlacement.measures` names.

    >>> true = np.array([[[0.0, 0.0], [2.0, 0.0]]])
    >>> placement_quality(true, true / 4, margin=1.0, half_width=6.0)
    {'placement_error_km': 37.5, 'overlaps_per_network': 1.0, 'outside_percent': 0.0}
    """
    return {
        "placement_error_km": UNIT_KM * float(np.linalg.norm(predicted - true, axis=-1).mean()),
        "overlaps_per_network": float((pair_distances(predicted) < margin).sum(axis=-1).mean()),
        "outside_percent": 100.0 * float((np.abs(predicted) > half_width).any(axis=-1).mean()),
    }
