"""GridControl: the controls that move an arm along a path, where its motors hold whole steps alone."""

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
from tasks.arm_pictures import draw_controls
from tasks.planar_arm import PlanarArm, requested_paths
from trainer import ArraySource, Measure, Task
from trainer.task import Shape


@gin.register(module="tasks")
@dataclasses.dataclass(frozen=True, kw_only=True)
class GridControl(Task):
    """Learns the controls of an arm for each point of a path that its hand is to follow, without an example of them.

    The model computes where its controls take the hand, so that a term compares that with the path. But the motors hold
    whole steps alone: what the model plans is rounded before it is done, and rounding moves the hand by centimetres.
    Among the many controls that reach nearly the same place, those near whole steps lose least.

    Over five seeds, motors turn less with all terms than with all but smoothness. In the mean of these seeds the terms
    of the grid and of the range each lower the error after rounding, that of the range by more, and raise that of the
    plan. Of that, five seeds are no proof.

    Keys: `inputs` and `targets` are the requested path in m `[batch, points, 2]`; `outputs.controls` are the turns of
    the joints in steps of a motor `[batch, points, joints]`; `outputs.path` is where these take the hand, in m
    `[batch, points, 2]`; `activations.bottleneck`.

    Attributes:
      seed: the seed of the requested paths.
      train_paths: the number of paths in the training data.
      eval_paths: the number of paths in the evaluation data.
      points: the number of points of a path.
      arm: the arm and its motors.
      width: the width of the hidden layers.
    """

    seed: int = 0
    train_paths: int = 4000
    eval_paths: int = 500
    points: int = 16
    arm: PlanarArm = PlanarArm()
    width: int = 128

    measures: ClassVar[Mapping[str, Measure]] = {
        "planned_error_mm": Measure("the mean distance of the hand from the path as planned, in mm", better="less"),
        "rounded_error_mm": Measure("that for what the motors hold instead, in mm", better="less"),
        "on_grid_percent": Measure("controls within 5 % of a step of a whole one, in per cent", better="more"),
        "outside_percent": Measure("controls beyond the limits by more than that, in per cent", better="less"),
        "turn_per_point": Measure(
            "the mean turn of a joint from one point to the next as the motors do it, in steps of a motor",
            better="less",
        ),
    }

    @functools.cached_property
    def train(self) -> ArraySource:
        """The training data: requested paths."""
        return self._requested(self.train_paths, stream=1)

    @functools.cached_property
    def eval(self) -> ArraySource:
        """The evaluation data: other paths of the same kind."""
        return self._requested(self.eval_paths, stream=2)

    def build_model(self) -> keras.Model:
        """Builds a net that sees a point and its neighbours on the path, and computes where its controls lead."""
        path = keras.Input([None, 2], name="requested")
        hidden = layers.Conv1D(self.width, 5, padding="same", activation="relu", name="neighbours")(path)
        hidden = layers.Dense(self.width, activation="relu", name="hidden")(hidden)
        hidden = layers.Dense(self.width, activation="relu", name="bottleneck")(hidden)
        turns = layers.Dense(len(self.arm.links), name="turns")(hidden)
        # From -1 to 1, as a net begins with, to the limits of a joint.
        controls = layers.Rescaling(self.arm.limit, name="controls")(turns)
        return keras.Model(path, {"controls": controls, "path": self.arm.hand(controls)}, name="planner")

    @property
    def measured_shapes(self) -> Mapping[Key, Shape | list[Shape]]:
        """Paths in the plane, and a control for each joint at each of their points."""
        return {"targets": ("points", 2), "outputs.controls": ("points", len(self.arm.links))}

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Measures how far the hand is from the path as planned and as the motors do it, and what they had to round."""
        arrays = self.eval.arrays
        return control_quality(self.arm, arrays["targets"], _planned(model, arrays["inputs"]))

    def draw_models(self, models: Mapping[str, keras.Model], folder: pathlib.Path) -> list[pathlib.Path]:
        """Draws paths as requested, planned and done, and the controls of the first one, a row each: `controls.png`."""
        inputs, requested = (self.eval.arrays[name][:3] for name in ("inputs", "targets"))
        planned = {name: _planned(model, inputs) for name, model in models.items()}
        return [draw_controls(folder / "controls.png", self.arm, requested, planned)]

    def _requested(self, paths: int, *, stream: int) -> ArraySource:
        rng = np.random.default_rng([self.seed, stream])
        requested = requested_paths(paths, points=self.points, length=sum(self.arm.links), rng=rng)
        return ArraySource(requested, requested)


def control_quality(arm: PlanarArm, requested: np.ndarray, controls: np.ndarray) -> dict[str, float]:
    """Measures controls in steps `[paths, points, joints]` for paths in m `[paths, points, 2]`.

    Returns:
      The numbers that `GridControl.measures` names.

    >>> arm = PlanarArm(links=(1.0,), step_degrees=90.0, limit=1)
    >>> found = control_quality(arm, np.array([[[1.0, 0.0], [0.0, 1.0]]]), np.array([[[0.0], [1.2]]]))
    >>> {name: round(value, 1) for name, value in found.items() if name != "turn_per_point"}
    {'planned_error_mm': 156.4, 'rounded_error_mm': 0.0, 'on_grid_percent': 50.0, 'outside_percent': 50.0}
    >>> found["turn_per_point"]
    1.0
    """
    held = arm.held(controls)
    return {
        "planned_error_mm": _error_mm(arm, requested, controls),
        "rounded_error_mm": _error_mm(arm, requested, held),
        "on_grid_percent": 100.0 * float((np.abs(controls - np.round(controls)) <= 0.05).mean()),
        "outside_percent": 100.0 * float((np.abs(controls) > arm.limit + 0.05).mean()),
        "turn_per_point": float(np.abs(np.diff(held, axis=1)).mean()),
    }


def _error_mm(arm: PlanarArm, requested: np.ndarray, controls: np.ndarray) -> float:
    return 1000.0 * float(np.linalg.norm(arm.hand(controls) - requested, axis=-1).mean())


def _planned(model: keras.Model, requested: np.ndarray) -> np.ndarray:
    """Returns the controls that a model plans, `[paths, points, joints]`."""
    return model.predict(requested, batch_size=500, verbose=0)["controls"]
