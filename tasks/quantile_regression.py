"""QuantileRegression: how far a disease will have gone in a year, as quantiles that do not cross."""

import dataclasses
import functools
import itertools
import pathlib
from collections.abc import Mapping
from typing import Annotated, ClassVar

import gin
import keras
import numpy as np
from keras import layers

from objectives import Key, Objective, QuantileLoss
from objectives.annotations import Expected
from objectives.errors import Mistakes
from tasks.quantile_pictures import draw_quantiles
from trainer import ArraySource, Measure, Task
from trainer.task import Shape

Quantiles = Annotated[
    tuple[float, ...],
    Expected(
        "numbers between 0 and 1 in ascending order, such as (0.1, 0.5, 0.9)",
        lambda levels: len(levels) > 0 and all(low < high for low, high in itertools.pairwise((0.0, *levels, 1.0))),
    ),
]


@gin.register(module="tasks")
@dataclasses.dataclass(frozen=True, kw_only=True)
class QuantileRegression(Task):
    """Learns quantiles of how far diabetes has gone after a year, from ten measurements of a patient.

    The 442 patients of Efron, Hastie, Johnstone and Tibshirani (2004), which scikit-learn bundles. They are few:
    quantiles that are learned each by itself cross, so that the 60 % quantile of a patient is below the 50 % one, and a
    net that may learn the patients by heart claims intervals that are too narrow.

    Over five seeds, both terms together end the crossings of this small net and bring intervals nearer to what they
    claim. Weight decay by itself ends the crossings as well; ordering is needed where nothing else keeps a net from
    learning by heart. In the mean of these seeds, ordering by itself ends half of the crossings, and coverage and a
    smaller loss come from weight decay; of that, five seeds are no proof.

    Keys: `inputs` are the measurements, each with a mean of 0 and a standard deviation of 1, `[batch, 10]`; `targets`
    is the progression in hundreds of points, `[batch]`; `outputs` are its quantiles, `[batch, quantiles]`.

    Attributes:
      seed: the seed of the split of the patients.
      eval_patients: how many of the patients are evaluated on; the others are trained on.
      quantiles: which quantiles are measured, in ascending order; a term `QuantileLoss` has to learn the same.
      width: the width of both hidden layers; the second one is called 'bottleneck'.
    """

    seed: int = 0
    eval_patients: int = 142
    quantiles: Quantiles = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    width: int = 64

    measures: ClassVar[Mapping[str, Measure]] = {
        "pinball_loss": Measure(
            "the mean over patients and quantiles, in hundreds of points of the progression", better="less"
        ),
        "coverage_percent": Measure(
            "patients between the lowest and the highest quantile, both included, in per cent; 80 are right for "
            "quantiles from 0.1 to 0.9",
            better=80,
        ),
        "calibration_error_percent": Measure(
            "by how many per cent of all patients the number of those at or below a quantile is wrong, averaged "
            "over the quantiles",
            better="less",
        ),
        "crossed_percent": Measure("patients of whom some quantile is below a lower one, in per cent", better="less"),
    }

    @functools.cached_property
    def train(self) -> ArraySource:
        """The patients that are trained on."""
        return self._parts[0]

    @functools.cached_property
    def eval(self) -> ArraySource:
        """The other patients."""
        return self._parts[1]

    def build_model(self) -> keras.Model:
        """Builds a dense net from `[batch, 10]` to `[batch, quantiles]`."""
        return keras.Sequential(
            [
                keras.Input([10], name="measurements"),
                layers.Dense(self.width, activation="relu", name="hidden"),
                layers.Dense(self.width, activation="relu", name="bottleneck"),
                layers.Dense(len(self.quantiles), name="quantiles"),
            ],
            name="progression",
        )

    @property
    def measured_shapes(self) -> Mapping[Key, Shape | list[Shape]]:
        """What came out, and an output for each quantile."""
        return {"targets": [(), (1,)], "outputs": (len(self.quantiles),)}

    def refuse_terms(self, objective: Objective) -> None:
        """Refuses a term that makes other quantiles of the outputs than are measured."""
        mistakes = Mistakes()
        for name, term in objective.terms.items():
            if isinstance(term, QuantileLoss) and term.y_pred == "outputs" and term.quantiles != self.quantiles:
                mistakes.messages.append(
                    f"term {name!r} learns QuantileLoss.quantiles = {term.quantiles}, and what it learns is measured "
                    f"as QuantileRegression.quantiles = {self.quantiles}; expected the same for both: in a gin file "
                    f"that includes quantile_regression.gin, QUANTILES = ... sets both"
                )
        mistakes.raise_any()

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Measures how good the quantiles are as a forecast, and whether they can be quantiles of anything."""
        return quantile_quality(self._true, self._predict(model), self.quantiles)

    def draw_models(self, models: Mapping[str, keras.Model], folder: pathlib.Path) -> list[pathlib.Path]:
        """Draws the quantiles of each patient and how many patients are below each, a row a model: `quantiles.png`."""
        predicted = {name: self._predict(model) for name, model in models.items()}
        return [draw_quantiles(folder / "quantiles.png", self._true, predicted, self.quantiles)]

    @property
    def _true(self) -> np.ndarray:
        """What came out, `[examples]`, from targets of one column too."""
        return np.ravel(self.eval.arrays["targets"])

    def _predict(self, model: keras.Model) -> np.ndarray:
        return model.predict(self.eval.arrays["inputs"], batch_size=1024, verbose=0)

    @functools.cached_property
    def _parts(self) -> list[ArraySource]:
        from sklearn.datasets import load_diabetes  # imported here, so that other tasks do not wait for it
        from sklearn.model_selection import train_test_split

        measurements, points = load_diabetes(return_X_y=True)
        inputs = measurements * np.sqrt(len(measurements))  # their columns have the length 1
        split = train_test_split(inputs, points / 100.0, test_size=self.eval_patients, random_state=self.seed)
        arrays = [part.astype(np.float32) for part in split]
        return [ArraySource(*arrays[part::2]) for part in (0, 1)]


def quantile_quality(true: np.ndarray, predicted: np.ndarray, quantiles: tuple[float, ...]) -> dict[str, float]:
    """Judges predicted quantiles.

    Args:
      true: what came out, `[examples]`.
      predicted: its quantiles, `[examples, quantiles]`.
      quantiles: which ones they are, in ascending order.

    Returns:
      The numbers that `QuantileRegression.measures` names.

    >>> quality = quantile_quality(np.array([0.0, 1.0]), np.array([[-1.0, 1.0], [2.0, 1.5]]), (0.25, 0.75))
    >>> quality["coverage_percent"], quality["crossed_percent"], quality["calibration_error_percent"]
    (50.0, 50.0, 25.0)
    """
    error = true[:, None] - predicted
    levels = np.asarray(quantiles)
    inside = (predicted[:, 0] <= true) & (true <= predicted[:, -1])
    below = (error <= 0.0).mean(axis=0)
    return {
        "pinball_loss": float(np.maximum(levels * error, (levels - 1.0) * error).mean()),
        "coverage_percent": 100.0 * float(inside.mean()),
        "calibration_error_percent": 100.0 * float(np.abs(below - levels).mean()),
        "crossed_percent": 100.0 * float((np.diff(predicted, axis=-1) < 0.0).any(axis=-1).mean()),
    }
