"""HeatEquation: how warm a rod is anywhere, told from a few thermometers that err and from physics."""

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
from tasks.heat_pictures import draw_temperatures
from tasks.rod import Rod
from trainer import ArraySource, Measure, MixedSource, Task, model_of_parts
from trainer.task import Shape

PARTS = ("ends", "rod", "sensors", "start")


@gin.register(module="tasks")
@dataclasses.dataclass(frozen=True, kw_only=True)
class HeatEquation(Task):
    """Learns the temperature of a cooling rod as a function of place and time, a physics-informed network.

    Some thermometers measure it, each once and with an error. A network that fits them alone learns their errors and
    invents the rest; one that obeys the heat equation as well cannot, as hardly any of that is possible.

    Each batch has parts: `sensors` are readings at random places and times, `start` readings along the rod at time 0,
    `ends` the ends of the rod, known to be at 0, and `rod` points where nothing was measured and the equation holds.

    In the mean of five seeds, the equation takes away more than half of the error over the rod, and with each of them
    some of it. The error at the worst place gets larger with two of them. Of that, five seeds are no proof.

    Keys: of each part, such as `rod`, `inputs.rod.x` and `inputs.rod.t` `[batch, 1]`; `outputs.rod`, the temperature
    `[batch, 1]`; and `targets.sensors`, `targets.start` and `targets.ends`, likewise.

    Attributes:
      seed: the seed of places, times and errors of thermometers.
      rod: the rod, and its temperature at first.
      readings: the number of readings at random places and times; there are as many at the start and for the ends.
      noise: the standard deviation of a reading.
      points: the number of points where the equation is to hold.
      width: the width of the three hidden layers.
    """

    seed: int = 0
    rod: Rod = Rod()
    readings: int = 32
    noise: float = 0.1
    points: int = 640
    width: int = 32

    measures: ClassVar[Mapping[str, Measure]] = {
        "relative_error_percent": Measure(
            "the root of the mean squared error, in per cent of the root mean square of the exact temperature",
            better="less",
        ),
        "worst_error": Measure("the largest error anywhere, where the rod is about 1 warm at first", better="less"),
    }

    @functools.cached_property
    def train(self) -> MixedSource:
        """The training data: what was measured, what is known of the ends, and points where the equation holds."""
        rng = np.random.default_rng([self.seed, 1])
        count = self.readings
        return MixedSource(
            sensors=self._measured(_at(rng.uniform(size=count), rng.uniform(size=count)), rng),
            start=self._measured(_at(np.linspace(0, 1, count), np.zeros(count)), rng),
            ends=self._exact(_at(np.arange(count) % 2, rng.uniform(size=count))),
            rod=ArraySource(_at(rng.uniform(size=self.points), rng.uniform(size=self.points))),
            shares={"rod": 5, "sensors": 1, "start": 1, "ends": 1},
        )

    @functools.cached_property
    def eval(self) -> MixedSource:
        """The evaluation data: the exact temperature, of `sensors` on a grid over all places and times."""
        side = np.linspace(0, 1, 41)
        x, t = map(np.ravel, np.meshgrid(side, side))
        return MixedSource(
            sensors=self._exact(_at(x, t)),
            start=self._exact(_at(side, np.zeros_like(side))),
            ends=self._exact(_at(np.repeat([0, 1], len(side)), np.tile(side, 2))),
            rod=ArraySource(_at(x, t)),
            shares={"rod": 3, "sensors": 3, "start": 1, "ends": 1},
        )

    def build_model(self) -> keras.Model:
        """Builds a dense net from place and time to temperature, smooth as its derivatives are read, for each part."""
        at = {name: keras.Input([1], name=name) for name in ("x", "t")}
        hidden = layers.Concatenate(name="point")([at["x"], at["t"]])
        for number in (1, 2, 3):
            hidden = layers.Dense(self.width, activation="tanh", name=f"hidden{number}")(hidden)
        net = keras.Model(at, layers.Dense(1, name="temperature")(hidden), name="net")
        return model_of_parts(net, parts=PARTS)

    @property
    def measured_shapes(self) -> Mapping[Key, Shape | list[Shape]]:
        """Places, times and temperatures, each a number in an axis of its own."""
        read = ("inputs.sensors.x", "inputs.sensors.t", "targets.sensors", "targets.start", "outputs.sensors")
        return dict.fromkeys(read, (1,))

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Measures how far the temperature is from the exact one, where it was measured and where not."""
        return temperature_quality(self.eval.arrays["targets"]["sensors"], self._found(model))

    def draw_models(self, models: Mapping[str, keras.Model], folder: pathlib.Path) -> list[pathlib.Path]:
        """Draws the exact temperature, the readings, and what each model learned, over place and time: `heat.png`."""
        arrays, seen = self.eval.arrays, self.train.arrays
        found = {name: self._found(model) for name, model in models.items()}
        return [
            draw_temperatures(
                folder / "heat.png",
                arrays["inputs"]["sensors"],
                arrays["targets"]["sensors"],
                found,
                readings=[(seen["inputs"][part], seen["targets"][part]) for part in ("sensors", "start")],
            )
        ]

    def _found(self, model: keras.Model) -> np.ndarray:
        """Returns the temperatures of a model at the points of the evaluation, `[points, 1]`."""
        at = self.eval.arrays["inputs"]["sensors"]
        return model.predict(dict.fromkeys(PARTS, at), batch_size=2048, verbose=0)["sensors"]

    def _exact(self, at: dict[str, np.ndarray]) -> ArraySource:
        return ArraySource(at, self.rod.temperature(**at).astype(np.float32))

    def _measured(self, at: dict[str, np.ndarray], rng: np.random.Generator) -> ArraySource:
        exact = self.rod.temperature(**at)
        return ArraySource(at, (exact + self.noise * rng.standard_normal(exact.shape)).astype(np.float32))


def temperature_quality(true: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """Measures how good temperatures of one shape are.

    Returns:
      The numbers that `HeatEquation.measures` names.

    >>> temperature_quality(np.array([3.0, 4.0]), np.array([3.0, 4.5]))
    {'relative_error_percent': 10.0, 'worst_error': 0.5}
    """
    error = found - true
    return {
        "relative_error_percent": 100.0 * float(np.linalg.norm(error) / np.linalg.norm(true)),
        "worst_error": float(np.abs(error).max()),
    }


def _at(x: np.ndarray, t: np.ndarray) -> dict[str, np.ndarray]:
    """Returns places and times as the inputs of a model, `[points, 1]` each."""
    return {"x": x.astype(np.float32)[:, None], "t": t.astype(np.float32)[:, None]}
