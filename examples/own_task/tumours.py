"""A task outside of the repository of Termwise: a model tells from measurements of cells whether a tumour is malignant.

In this folder, or in a copy of it anywhere:

    termwise train --gin_file=tumours.gin --workdir=runs/tumours
"""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping
from typing import ClassVar

import gin
import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from trainer import ArraySource, Measure, Task


@gin.register(module="tumours")
@dataclasses.dataclass(frozen=True, kw_only=True)
class TumourDiagnosis(Task):
    """The probability that a tumour is malignant, for 569 patients of the Wisconsin breast cancer data set.

    Keys: `inputs` `[batch, 30]`; `targets` `[batch, 1]`, 1 for malignant; `outputs` `[batch, 1]`, logits;
    `activations.hidden`.

    Attributes:
      seed: of the split into training and evaluation data.
      units: of the hidden layer.
    """

    seed: int = 0
    units: int = 16

    measures: ClassVar[Mapping[str, Measure]] = {
        "missed_percent": Measure("malignant tumours that are called benign, in per cent", better="less"),
        "false_alarms_percent": Measure("benign tumours that are called malignant, in per cent", better="less"),
    }

    @functools.cached_property
    def train(self) -> ArraySource:
        return self._patients[0]

    @functools.cached_property
    def eval(self) -> ArraySource:
        return self._patients[1]

    def build_model(self) -> keras.Model:
        """A net with one hidden layer, on measurements that have mean 0 and variance 1 over the training data."""
        x = self.train.arrays["inputs"]
        return keras.Sequential(
            [
                keras.Input([x.shape[1]]),
                keras.layers.Normalization(mean=x.mean(axis=0), variance=x.var(axis=0)),
                keras.layers.Dense(self.units, activation="relu", name="hidden"),
                keras.layers.Dense(1, name="logit"),
            ]
        )

    def measure(self, model: keras.Model) -> dict[str, float]:
        """The two mistakes that a physician asks for, at a probability of one half."""
        malignant, found = self.eval.arrays["targets"] == 1, self._logits(model) > 0
        return {
            "missed_percent": 100.0 * float((~found)[malignant].mean()),
            "false_alarms_percent": 100.0 * float(found[~malignant].mean()),
        }

    def draw(self, model: keras.Model, folder: pathlib.Path) -> list[pathlib.Path]:
        """How often each logit is given to benign and to malignant tumours: `tumours.png`."""
        malignant, logits = self.eval.arrays["targets"] == 1, self._logits(model)
        figure = Figure(figsize=(8, 3), layout="constrained")
        axes = figure.subplots()
        groups = {"benign": logits[~malignant], "malignant": logits[malignant]}
        axes.hist([*groups.values()], bins=40, stacked=True, label=[*groups])
        axes.axvline(0.0, color="black", linewidth=1)
        axes.set(xlabel="logit; right of the line the model calls a tumour malignant", ylabel="patients")
        axes.legend(frameon=False)
        path = folder / "tumours.png"
        figure.savefig(path, dpi=120)
        return [path]

    @functools.cached_property
    def _patients(self) -> tuple[ArraySource, ArraySource]:
        x, benign = load_breast_cancer(return_X_y=True)
        x, malignant = x.astype(np.float32), (1.0 - benign[:, None]).astype(np.float32)
        x_train, x_eval, y_train, y_eval = train_test_split(
            x, malignant, test_size=0.3, random_state=self.seed, stratify=malignant
        )
        return ArraySource(x_train, y_train), ArraySource(x_eval, y_eval)

    def _logits(self, model: keras.Model) -> np.ndarray:
        return model.predict(self.eval.arrays["inputs"], verbose=0)
