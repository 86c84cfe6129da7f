"""AdversarialSynthesis: handwritten digits that a generator makes, trained against a critic that knows real ones."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping

import gin
import keras
import numpy as np

from objectives import Key
from objectives.annotations import Count
from tasks.adversarial_networks import adversarial_networks
from tasks.digit_sheet import draw_digits
from tasks.handwriting import Handwriting
from tasks.synthesis_quality import MEASURES, Judge
from trainer import ArraySource, Task
from trainer.task import Shape


@gin.register(module="tasks")
@dataclasses.dataclass(frozen=True, kw_only=True)
class AdversarialSynthesis(Task):
    """Learns to make images of handwritten digits from noise, by two players; see `Trainer.players`.

    The critic is given real digits and made ones, and shall tell them apart; the generator shall mislead it.

    Over five seeds, R1 makes the ten digits come out more nearly as often as one another. In the mean of these seeds
    all ten come out with it, and without it eight, of which more are recognised; and its pixels are spread more as
    those of real ones. Of that, five seeds are no proof.

    Keys: `inputs.real`, real digits `[batch, 8, 8, 1]` with ink from 0 to 1; `outputs.made`, made ones of that shape,
    drawn anew in each pass; `outputs.on_real` and `outputs.on_made` `[batch, 1]`, the critic's scores of them, any
    number. Variables: `generator/...` and `critic/...`.

    Attributes:
      seed: the seed of the split of the real digits, and of the noise that is measured and drawn.
      noise: how many numbers a digit is made of.
      width: the width of the hidden layers of both networks.
      samples: how many digits are made to be measured.
    """

    seed: int = 0
    noise: Count = 32
    width: Count = 128
    samples: Count = 2000

    measure_at_evaluations = True
    measures = MEASURES

    @functools.cached_property
    def train(self) -> ArraySource:
        """The training data: 1,257 real digits."""
        return _source(self._bundled[0])

    @functools.cached_property
    def eval(self) -> ArraySource:
        """The evaluation data: the other 540, written by the same people."""
        return _source(self._bundled[1])

    def build_model(self) -> keras.Model:
        """Builds both networks, joined; see `tasks.adversarial_networks`."""
        return adversarial_networks(side=8, noise=self.noise, width=self.width)

    @property
    def measured_shapes(self) -> Mapping[Key, Shape | list[Shape]]:
        """Real images and made ones of the same pixels."""
        return {"inputs.real": (8, 8, 1), "outputs.made": (8, 8, 1)}

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Measures how many digits come out and how many are recognised; see `tasks.synthesis_quality`.

        Of other images than the bundled ones it is not known what they show, so that none is recognised.
        """
        return self._judge.quality(self._made(model, self.samples))

    def draw_models(self, models: Mapping[str, keras.Model], folder: pathlib.Path) -> list[pathlib.Path]:
        """Draws real digits beside those that each model makes of the same noise: `digits.png`."""
        made = {f"made: {name}": self._made(model, 100) for name, model in models.items()}
        return [draw_digits(folder / "digits.png", {"real, seen by no model": self._judge.unseen, **made})]

    def _made(self, model: keras.Model, count: int) -> np.ndarray:
        """Returns made digits, `[count, 8, 8]`, of noise that is the same whenever it is drawn."""
        noise = np.random.default_rng([self.seed, 1]).normal(size=[count, self.noise]).astype(np.float32)
        return model.get_layer("generator").predict(noise, batch_size=1000, verbose=0)[..., 0]

    @functools.cached_property
    def _judge(self) -> Judge:
        # Training data that replace the bundled ones may be read from disk in their order.
        known = self.train.arrays["inputs"]["real"][..., 0] if self.train.arrays else None
        unseen = self.eval.arrays["inputs"]["real"][..., 0]
        pairs = zip((known, unseen), self._bundled, strict=True)
        are_bundled = all(images is not None and np.array_equal(images, own.images) for images, own in pairs)
        return Judge(known=known, unseen=unseen, digits=self._bundled[0].digits if are_bundled else None)

    @functools.cached_property
    def _bundled(self) -> tuple[Handwriting, Handwriting]:
        return Handwriting.split(self.seed)


def _source(digits: Handwriting) -> ArraySource:
    return ArraySource({"real": digits.images[..., None]})
