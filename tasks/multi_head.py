"""MultiHead: which digit a damaged scan shows, the digit without the damage, and its ink, told by one model."""

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
from tasks.handwriting import Handwriting
from tasks.head_pictures import draw_heads
from trainer import ArraySource, Measure, Task
from trainer.task import Shape


@gin.register(module="tasks")
@dataclasses.dataclass(frozen=True, kw_only=True)
class MultiHead(Task):
    """Learns three things about handwritten digits at once, a head each, of which one has few labels.

    Scans of scikit-learn's `load_digits` lose some of their pixels. What a scan showed before is known for all of them,
    and so is its ink; which digit it is has been written down for a few. The heads share all but their last layers, so
    that strokes learned from all scans help to tell digits: in the mean of five seeds, 80.6 % of them are right, and
    74.5 % where the head for the digit is trained alone. With each of these seeds it is the head of the picture that
    helps; that of the ink, a single number, does not, nor does the penalty on activations. Of that, five seeds are no
    proof.

    The plain run trains the head of the digit alone: what the others answer there is chance.

    Keys: `inputs` are damaged scans, ink from 0 to 1, `[batch, 8, 8]`; `targets.digit` `[batch]`, `targets.labelled`
    `[batch]`, 1 where the digit may be learned from, `targets.picture` `[batch, 8, 8]`, and `targets.mass`, the mean
    ink in per cent, `[batch, 1]`; `outputs.digit` are logits `[batch, 10]`, `outputs.picture` and `outputs.mass` are
    shaped as their targets; `activations.bottleneck`.

    Attributes:
      seed: the seed of the split of the scans, of the damage and of which are labelled.
      labelled: how many scans of the training data have a label.
      copies: how many times each scan of the training data is damaged.
      missing: the part of the pixels that a scan loses.
      width: the width of the first hidden layer; the second one, called 'bottleneck', has half of it.
    """

    seed: int = 0
    labelled: int = 100
    copies: int = 4
    missing: float = 0.3
    width: int = 512

    measures: ClassVar[Mapping[str, Measure]] = {
        "accuracy_percent": Measure(
            "scans whose most probable digit is right, in per cent", better="more", judges="outputs.digit"
        ),
        "picture_rmse": Measure(
            "the root of the mean squared error of a pixel, where full ink is 1",
            better="less",
            judges="outputs.picture",
        ),
        "mass_r2": Measure(
            "the part of the variance of the ink that the head explains; below 0 it is worse than the mean of all "
            "scans, and it is 0 where their ink does not differ",
            better="more",
            judges="outputs.mass",
        ),
    }

    @functools.cached_property
    def train(self) -> ArraySource:
        """The training data: one part of the scans, each damaged several times."""
        return self._scans(0, copies=self.copies, count=self.labelled)

    @functools.cached_property
    def eval(self) -> ArraySource:
        """The evaluation data: the other part, each damaged once, with all labels."""
        return self._scans(1, copies=1)

    def build_model(self) -> keras.Model:
        """Builds a dense net with two shared layers and a head for each output."""
        scan = keras.Input([8, 8], name="scan")
        shared = layers.Dense(self.width, activation="relu", name="hidden")(layers.Flatten(name="flat")(scan))
        shared = layers.Dense(self.width // 2, activation="relu", name="bottleneck")(shared)
        outputs = {
            "digit": layers.Dense(10, name="digit")(shared),
            "picture": layers.Reshape([8, 8], name="picture")(layers.Dense(64, name="pixels")(shared)),
            "mass": layers.Dense(1, name="mass")(shared),
        }
        return keras.Model(scan, outputs, name="heads")

    @property
    def measured_shapes(self) -> Mapping[Key, Shape | list[Shape]]:
        """Scans that can be drawn, and the target and the output of each head."""
        scan, picture = ("height", "width"), ("rows", "columns")
        return {
            "inputs": [scan, (*scan, 1), (*scan, 3)],
            "targets.digit": (),
            "outputs.digit": (10,),
            **dict.fromkeys(("targets.picture", "outputs.picture"), picture),
            **dict.fromkeys(("targets.mass", "outputs.mass"), (1,)),
        }

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Measures each head; see `head_quality`."""
        arrays = self.eval.arrays
        return head_quality(arrays["targets"], _predict(model, arrays["inputs"]))

    def draw_models(self, models: Mapping[str, keras.Model], folder: pathlib.Path) -> list[pathlib.Path]:
        """Draws scans, the truth, and what each head of each model says: `heads.png`."""
        scans, targets = self.eval.arrays["inputs"][:8], self.eval.arrays["targets"]
        true = {name: targets[name][:8] for name in ("digit", "picture", "mass")}
        predicted = {name: _predict(model, scans) for name, model in models.items()}
        return [draw_heads(folder / "heads.png", scans, true, predicted)]

    def _scans(self, part: int, *, copies: int, count: int | None = None) -> ArraySource:
        """Damages one part of the scans, of which `count` are labelled, or all."""
        rng = np.random.default_rng([self.seed, 1 + part])
        scans = Handwriting.split(self.seed)[part]
        labelled = np.zeros(len(scans.images), np.float32)
        labelled[slice(None) if count is None else rng.permutation(len(labelled))[:count]] = 1.0
        pictures, digits, labelled = (
            np.concatenate([each] * copies) for each in (scans.images, scans.digits, labelled)
        )
        damaged = pictures * (rng.random(pictures.shape) >= self.missing)
        targets = {
            "digit": digits.astype(np.int32),
            "labelled": labelled,
            "picture": pictures,
            "mass": 100.0 * pictures.mean(axis=(1, 2))[:, None],
        }
        return ArraySource(damaged.astype(np.float32), targets, class_names={"targets.digit": list("0123456789")})


def head_quality(true: Mapping[str, np.ndarray], predicted: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Judges the answers of the heads by the targets `digit`, `picture` and `mass`, shaped as those of `MultiHead`.

    Returns:
      The numbers that `MultiHead.measures` names.

    >>> true = {"digit": np.array([0, 1]), "picture": np.zeros([2, 8, 8]), "mass": np.array([[10.0], [20.0]])}
    >>> said = {"digit": np.array([[2.0, 1.0], [2.0, 1.0]]), "picture": np.ones([2, 8, 8]), "mass": true["mass"]}
    >>> head_quality(true, said)
    {'accuracy_percent': 50.0, 'picture_rmse': 1.0, 'mass_r2': 1.0}
    """
    spread = np.square(true["mass"] - true["mass"].mean()).sum()
    left = np.square(true["mass"] - predicted["mass"]).sum()
    return {
        "accuracy_percent": 100.0 * float((predicted["digit"].argmax(axis=-1) == true["digit"]).mean()),
        "picture_rmse": float(np.sqrt(np.square(predicted["picture"] - true["picture"]).mean())),
        "mass_r2": float(1.0 - left / spread) if spread > 0.0 else 0.0,
    }


def _predict(model: keras.Model, scans: np.ndarray) -> dict[str, np.ndarray]:
    """Returns the answers of the heads; those about the digit are logits."""
    return model.predict(scans, batch_size=1000, verbose=0)
