"""ImbalancedScreening: which of many tumours are malignant, where one in twenty is."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping

import gin
import keras
import numpy as np
from keras import layers

from objectives import Key
from tasks.screening_pictures import draw_screening
from tasks.screening_quality import MEASURES, screening_quality
from trainer import ArraySource, Task
from trainer.task import Shape


@gin.register(module="tasks")
@dataclasses.dataclass(frozen=True, kw_only=True)
class ImbalancedScreening(Task):
    """Learns which tumours are malignant, from 30 measurements of their cells, where few of the examples are.

    The 569 tumours of Wolberg, Mangasarian and Street (1993), which scikit-learn bundles; 212 are malignant. Trained on
    is half of the benign ones with as many malignant ones as make up `positives` of the examples, 9 of 187 by default.
    So few can be learned by heart.

    The other tumours are evaluated on. All of their malignant ones are, as 9 would tell little, and weighed so that
    they make up the same share: terms with `sample_weight = 'sample_weight'`, and all measures, are those of the
    population that is screened.

    In the mean of five seeds, weight decay finds more of the positives, and makes the probabilities promise more than
    there are, 1.34 for each instead of 1.04, as positives have the larger weight. Of that, five seeds are no proof. The
    penalty on activations changes nothing that would matter: it is for larger nets.

    Keys: `inputs` are the measurements, each with a mean of 0 and a standard deviation of 1 over all tumours,
    `[batch, 30]`; `targets`, 1 for malignant, and `outputs`, logits, are `[batch, 1]`; `sample_weight` is `[batch]`.

    Attributes:
      seed: the seed of the choice of the tumours that are trained on.
      positives: the share of malignant ones among the examples.
      width: the width of both hidden layers; the second one is called 'bottleneck'.
    """

    seed: int = 0
    positives: float = 0.05
    width: int = 32

    measures = MEASURES

    @functools.cached_property
    def train(self) -> ArraySource:
        """The tumours that are trained on, all with a weight of 1."""
        return self._parts[0]

    @functools.cached_property
    def eval(self) -> ArraySource:
        """All others, weighed so that the share of malignant ones is that of the training data."""
        return self._parts[1]

    def build_model(self) -> keras.Model:
        """Builds a dense net from `[batch, 30]` to a logit, `[batch, 1]`."""
        return keras.Sequential(
            [
                keras.Input([30], name="measurements"),
                layers.Dense(self.width, activation="relu", name="hidden"),
                layers.Dense(self.width, activation="relu", name="bottleneck"),
                layers.Dense(1, name="logit"),
            ],
            name="screening",
        )

    @property
    def measured_shapes(self) -> Mapping[Key, Shape | list[Shape]]:
        """A yes or no, its logit, and a weight for each example."""
        return {"targets": [(), (1,)], "outputs": [(), (1,)], "sample_weight": ()}

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Measures how many malignant ones are found at what price; see `tasks.screening_quality`."""
        return screening_quality(*self._judged(model))

    def draw_models(self, models: Mapping[str, keras.Model], folder: pathlib.Path) -> list[pathlib.Path]:
        """Draws precision over recall, and what probabilities are worth, a line a model: `screening.png`."""
        return [draw_screening(folder / "screening.png", {name: self._judged(model) for name, model in models.items()})]

    def _judged(self, model: keras.Model) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns targets, predicted probabilities and weights of the evaluation data, each `[examples]`."""
        from scipy.special import expit  # imported here, so that other tasks do not wait for it

        arrays = self.eval.arrays
        logits = model.predict(arrays["inputs"], batch_size=1024, verbose=0)
        probabilities = expit(np.asarray(logits, np.float64))
        true = np.ravel(arrays["targets"])
        return true, np.ravel(probabilities), arrays.get("sample_weight", np.ones_like(true))

    @functools.cached_property
    def _parts(self) -> list[ArraySource]:
        from sklearn.datasets import load_breast_cancer  # imported here, so that other tasks do not wait for it

        measurements, benign = load_breast_cancer(return_X_y=True)
        inputs = (measurements - measurements.mean(axis=0)) / measurements.std(axis=0)
        rng = np.random.default_rng(self.seed)
        negatives, positives = (rng.permutation(np.flatnonzero(benign == one)) for one in (1, 0))
        halfway = len(negatives) // 2
        count = max(1, round(halfway * self.positives / (1.0 - self.positives)))
        trained = np.concatenate([negatives[:halfway], positives[:count]])
        others = np.concatenate([negatives[halfway:], positives[count:]])
        weight = (len(negatives) - halfway) * self.positives / (1.0 - self.positives) / (len(positives) - count)
        return [
            _examples(inputs[rows], 1 - benign[rows], of_positive)
            for rows, of_positive in ((trained, 1.0), (others, weight))
        ]


def _examples(inputs: np.ndarray, malignant: np.ndarray, of_positive: float) -> ArraySource:
    weights = np.where(malignant == 1, of_positive, 1.0)
    return ArraySource(
        inputs.astype(np.float32), malignant[:, None].astype(np.float32), sample_weight=weights.astype(np.float32)
    )
