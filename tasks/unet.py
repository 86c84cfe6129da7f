"""A small U-Net: a class for every pixel of an image."""

import keras
from keras import layers


def unet(*, size: int, classes: int, channels: int = 16) -> keras.Model:
    """Builds a U-Net (Ronneberger et al., 2015) of three resolutions, one convolution at each on the way down and up.

    It has neither batch statistics nor dropout: its result does not depend on how a batch is shared among replicas.

    Args:
      size: height and width of the image, a multiple of 4.
      classes: how many classes a pixel may have.
      channels: at the full resolution; twice and four times as many below it.

    Returns:
      A model from images `[batch, size, size, 1]` to `{"logits", "probabilities"}`, each
      `[batch, size, size, classes]`. The coarsest layer is called 'bottleneck'.
    """
    image = keras.Input([size, size, 1], name="image")
    # Brightness from 0 to 1, most of it dark, becomes about -1 to 3: training starts much sooner.
    fine = _convolution(channels, "down_fine")(layers.Rescaling(4.0, offset=-1.0, name="scaled")(image))
    middle = _convolution(2 * channels, "down_middle")(layers.MaxPooling2D(name="halve")(fine))
    coarse = _convolution(4 * channels, "down_coarse")(layers.MaxPooling2D(name="quarter")(middle))
    coarse = _convolution(4 * channels, "bottleneck")(coarse)
    for name, skip, width in (("middle", middle, 2 * channels), ("fine", fine, channels)):
        enlarged = layers.UpSampling2D(name=f"enlarge_{name}")(coarse)
        coarse = _convolution(width, f"up_{name}")(layers.Concatenate(name=f"join_{name}")([enlarged, skip]))
    logits = layers.Conv2D(classes, 1, name="logits")(coarse)
    probabilities = layers.Softmax(name="probabilities")(logits)
    return keras.Model(image, {"logits": logits, "probabilities": probabilities}, name="unet")


def _convolution(width: int, name: str) -> layers.Layer:
    return layers.Conv2D(width, 3, padding="same", activation="silu", kernel_initializer="he_normal", name=name)
