"""SceneSegmentation: which handwritten digit each pixel of a cluttered scene belongs to."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping

import gin
import keras
import numpy as np

from objectives import Key
from tasks.digit_scenes import compose
from tasks.handwriting import Handwriting
from tasks.scene_pictures import draw_scenes
from tasks.segmentation_quality import MEASURES, segmentation_quality
from tasks.unet import unet
from trainer import ArraySource, Task
from trainer.task import Shape


@gin.register(module="tasks")
@dataclasses.dataclass(frozen=True, kw_only=True)
class SceneSegmentation(Task):
    """Learns a class for every pixel of cluttered scenes: background, or one of the digits.

    The first two digits are the pair that must not be confused; by default 3 and 8, which are easily taken for each
    other.

    Over five seeds, the term of the border raises the IoU, and the costly confusions with it; smoothness removes a few
    specks. In the mean of these seeds the term of the costs takes away more than half of the costly confusions; of
    that, five seeds are no proof. The penalty on activations changes little.

    Keys: `inputs` `[batch, size, size, 1]`; `targets.classes`, 0 for background and i + 1 for `digits[i]`, and
    `targets.border`, 1 where the class changes, both `[batch, size, size]`; `outputs.logits` and
    `outputs.probabilities` `[batch, size, size, classes]`; `activations.bottleneck`.

    Attributes:
      seed: the seed of the split of the handwritten images and of the scenes composed from them.
      train_scenes: the number of scenes in the training data.
      eval_scenes: the number of scenes in the evaluation data; they share no handwritten image with the others.
      size: the height and width of a scene in pixels, a multiple of 4.
      digits: the digits to find, at least two.
      noise: the standard deviation of the noise of a pixel, where ink is about 1.
    """

    seed: int = 0
    train_scenes: int = 4096
    eval_scenes: int = 512
    size: int = 32
    digits: tuple[int, ...] = (3, 8, 0, 5)
    noise: float = 0.1

    measures = MEASURES

    @functools.cached_property
    def train(self) -> ArraySource:
        """The training data, composed from one part of the handwritten images."""
        return self._composed(self.train_scenes, part=0)

    @functools.cached_property
    def eval(self) -> ArraySource:
        """The evaluation data, composed from the other part."""
        return self._composed(self.eval_scenes, part=1)

    def build_model(self) -> keras.Model:
        """Builds a small U-Net; see `tasks.unet`."""
        return unet(size=self.size, classes=len(self.digits) + 1)

    @property
    def measured_shapes(self) -> Mapping[Key, Shape | list[Shape]]:
        """Scenes, a class and a mark for each of their pixels, and a logit for each class."""
        classes = ("height", "width")
        return {
            "inputs": (*classes, "channels"),
            "targets.classes": classes,
            "targets.border": classes,
            "outputs.logits": (*classes, len(self.digits) + 1),
        }

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Measures the overlap with the truth, and the effect of the terms; see `tasks.segmentation_quality`."""
        targets = self.eval.arrays["targets"]
        predicted = _predict(model, self.eval.arrays["inputs"])
        return segmentation_quality(
            targets["classes"], predicted, targets["border"], classes=len(self.digits) + 1, costly_pair=(1, 2)
        )

    def draw_models(self, models: Mapping[str, keras.Model], folder: pathlib.Path) -> list[pathlib.Path]:
        """Draws scenes, truth, predictions and errors below one another, in rows for each model: `scenes.png`."""
        images = self.eval.arrays["inputs"][:8]
        true = self.eval.arrays["targets"]["classes"][:8]
        predicted = {name: _predict(model, images) for name, model in models.items()}
        return [draw_scenes(folder / "scenes.png", images, true, predicted, names=self._names)]

    def _composed(self, scenes: int, *, part: int) -> ArraySource:
        made = compose(
            Handwriting.split(self.seed)[part],
            self.digits,
            scenes=scenes,
            size=self.size,
            noise=self.noise,
            rng=np.random.default_rng([self.seed, 1 + part]),
        )
        targets = {"classes": made.classes, "border": made.border}
        return ArraySource(made.images, targets, class_names={"targets.classes": self._names})

    @property
    def _names(self) -> list[str]:
        """The names of the classes, in their order."""
        return ["background", *(f"digit {digit}" for digit in self.digits)]


def _predict(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Returns the most probable class of every pixel, `[scenes, size, size]`."""
    return model.predict(images, batch_size=128, verbose=0)["logits"].argmax(axis=-1)
