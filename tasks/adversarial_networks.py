"""A generator of small images and the critic that it is trained against, as one model that both players have."""

from typing import Any

import keras
from keras import layers


@keras.saving.register_keras_serializable(package="termwise")
class Noise(layers.Layer):
    """Draws a vector of normal numbers for each example, in training and in evaluation: what a generator begins with.

    Attributes:
      size: how many numbers.
    """

    def __init__(self, size: int, **options: Any):
        super().__init__(**options)
        self.size = size
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, examples: Any) -> Any:
        """Returns `[batch, size]` for examples `[batch, ...]`, of which nothing but their number is used."""
        shape = (keras.ops.shape(examples)[0], self.size)
        return keras.random.normal(shape, dtype=self.compute_dtype, seed=self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        """Returns what the layer is made with."""
        return {**super().get_config(), "size": self.size}


def adversarial_networks(*, side: int, noise: int, width: int) -> keras.Model:
    """Builds a generator and a critic of dense layers, joined in one model.

    The critic is a smooth function, so that a penalty on its gradient has a gradient everywhere. Neither network takes
    statistics of a batch.

    Args:
      side: height and width of an image.
      noise: how many numbers an image is made of.
      width: of the two hidden layers of each network.

    Returns:
      A model from real images `[batch, side, side, 1]` to `made`, images of that shape with ink from 0 to 1, and to
      `on_real` and `on_made`, `[batch, 1]`, the critic's scores of both. The networks are its layers 'generator', from
      `[batch, noise]`, and 'critic'.
    """
    shape = [side, side, 1]
    real = keras.Input(shape, name="real")
    generator = keras.Sequential(
        [
            keras.Input([noise], name="noise"),
            *_hidden(width),
            layers.Dense(side * side, activation="sigmoid", name="ink"),
            layers.Reshape(shape, name="image"),
        ],
        name="generator",
    )
    critic = keras.Sequential(
        [
            keras.Input(shape, name="image"),
            layers.Flatten(name="flat"),
            layers.Rescaling(2.0, offset=-1.0, name="scaled"),
            *_hidden(width),
            layers.Dense(1, name="score"),
        ],
        name="critic",
    )
    made = generator(Noise(noise, name="draw")(real))
    outputs = {"made": made, "on_real": critic(real), "on_made": critic(made)}
    return keras.Model({"real": real}, outputs, name="adversaries")


def _hidden(width: int) -> list[layers.Layer]:
    return [layers.Dense(width, activation="silu", kernel_initializer="he_normal", name=f"hidden{i}") for i in (1, 2)]
