"""A small residual net that restores pictures, and reports the texture of what it made."""

import keras
import numpy as np
from keras import layers

_SOBEL = np.outer([0.25, 0.5, 0.25], [-1.0, 0.0, 1.0])
_TINY = 1e-6  # keeps the gradient of the square root finite where nothing changes


def restorer(*, size: int, channels: int = 16, blocks: int = 2) -> keras.Model:
    """Builds a convolutional encoder and decoder with residual blocks between them.

    It has neither batch statistics nor dropout: its result does not depend on how a batch is shared among replicas.

    Args:
      size: height and width of the picture, a multiple of 4.
      channels: at the full resolution; twice as many at half of it.
      blocks: how many residual blocks there are at half of the resolution.

    Returns:
      A model from `[batch, size, size, 3]` to `{"image", "texture"}`, `[batch, size, size, 3]` and
      `[batch, size / 4, size / 4]`. The last layer at half of the resolution is called 'bottleneck'.
    """
    damaged = keras.Input([size, size, 3], name="damaged")
    fine = _convolution(channels, "fine")(damaged)
    coarse = _convolution(2 * channels, "halve", strides=2)(fine)
    for i in range(blocks):
        inner = _convolution(2 * channels, f"block{i}_first")(coarse)
        inner = layers.Conv2D(2 * channels, 3, padding="same", name=f"block{i}_second")(inner)
        coarse = layers.Add(name=f"block{i}")([coarse, inner])
    coarse = _convolution(2 * channels, "bottleneck")(coarse)
    enlarged = layers.UpSampling2D(name="enlarge")(coarse)
    joined = _convolution(channels, "join")(layers.Concatenate(name="beside")([enlarged, fine]))
    image = layers.Conv2D(3, 3, padding="same", name="image")(joined)
    return keras.Model(damaged, {"image": image, "texture": _texture(image)}, name="restorer")


def _texture(image):
    """Computes what `tasks.photographs.texture` does, but for the rounding of where nothing changes."""
    brightness = keras.ops.mean(image, axis=-1, keepdims=True)
    padded = keras.ops.pad(brightness, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="symmetric")
    filters = np.stack([_SOBEL, _SOBEL.T], axis=-1)[:, :, None].astype(np.float32)
    slopes = keras.ops.conv(padded, filters)
    strength = keras.ops.sqrt(keras.ops.sum(keras.ops.square(slopes), axis=-1, keepdims=True) + _TINY)
    return keras.ops.squeeze(keras.ops.average_pool(strength, 4), axis=-1)


def _convolution(width: int, name: str, strides: int = 1) -> layers.Layer:
    return layers.Conv2D(
        width, 3, strides, padding="same", activation="silu", kernel_initializer="he_normal", name=name
    )
