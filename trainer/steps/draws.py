"""Draws: Keras's random functions with the same bits in every execution, in every precision and on every device.

TensorFlow's own take another generator where XLA compiles them, or cut its bits otherwise. Here they are numbers of the
Philox generator, whose whole words are the same everywhere, cut by hand: on a CPU, float32 draws are those that Keras
makes outside of XLA. Gamma, beta and binomial numbers are Keras's: XLA has none of them.
"""

import contextlib
import functools
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend.tensorflow import random as keras_random
from keras.src.random import seed_generator as keras_seeds

# How many random bits a number between 0 and 1 has: as many as fit. Wider types have as many as float32.
_BITS = {tf.float16: 10, tf.bfloat16: 7, tf.float32: 23}

_state = threading.local()


@contextlib.contextmanager
def reproducible_draws() -> Iterator[None]:
    """Gives the draws of Keras on this thread the same bits in every execution, within the context."""
    before = getattr(_state, "alike", False)
    _state.alike = True
    try:
        yield
    finally:
        _state.alike = before


def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None) -> tf.Tensor:
    """Draws numbers from `minval` to below `maxval`.

    >>> uniform([2], seed=1).numpy() == keras.random.uniform([2], seed=1).numpy()
    array([ True,  True])
    """
    dtype = tf.as_dtype(dtype or keras.config.floatx())
    low, high = tf.cast(minval, dtype), tf.cast(maxval, dtype)
    return _unit(shape, _words(seed), dtype) * (high - low) + low


def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> tf.Tensor:
    """Draws from a normal distribution, two numbers from each two uniform ones (Box and Muller)."""
    count = tf.reduce_prod(_static(shape))
    pairs = tf.reshape(_unit((count + 1) // 2 * 2, _words(seed), tf.float32), [-1, 2])
    radius = tf.sqrt(-2.0 * tf.math.log(tf.maximum(pairs[:, 0], 1e-7)))
    angle = 2.0 * math.pi * pairs[:, 1]
    both = tf.stack([tf.sin(angle) * radius, tf.cos(angle) * radius], axis=1)
    standard = tf.reshape(tf.reshape(both, [-1])[:count], _static(shape))
    return tf.cast(standard * stddev + mean, dtype or keras.config.floatx())


def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None) -> tf.Tensor:
    """Draws from a normal distribution, no farther than two standard deviations from its mean."""
    end = math.erf(math.sqrt(2.0))
    standard = math.sqrt(2.0) * tf.math.erfinv(uniform(shape, -end, end, tf.float32, seed))
    return tf.cast(standard * stddev + mean, dtype or keras.config.floatx())


def dropout(inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Any = None) -> tf.Tensor:
    """Returns the inputs, scaled, with a share of `rate` set to 0; a seed drops the same ones in any precision."""
    if rate == 0.0:
        return inputs
    inputs = tf.convert_to_tensor(inputs)
    if rate == 1.0:
        return tf.zeros_like(inputs)
    shape = keras_random._get_concrete_noise_shape(inputs, noise_shape)
    kept = _bits(shape, _words(seed), tf.float32) >= tf.cast(tf.math.ceil(rate * 2.0 ** _BITS[tf.float32]), tf.int32)
    return tf.where(kept, inputs * tf.cast(1.0 / (1.0 - rate), inputs.dtype), tf.zeros_like(inputs))


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> tf.Tensor:
    """Draws whole numbers from `minval` to below `maxval`."""
    drawn = dtype if keras.backend.standardize_dtype(dtype) in ("int32", "int64") else "int64"
    numbers = tf.random.stateless_uniform(
        shape, _words(seed), minval=minval, maxval=maxval, dtype=drawn, alg=tf.random.Algorithm.PHILOX
    )
    return tf.cast(numbers, dtype)


def categorical(logits: Any, num_samples: int, dtype: Any = "int64", seed: Any = None) -> tf.Tensor:
    """Draws classes `[batch, num_samples]` given logits `[batch, classes]`: the largest logit with Gumbel noise."""
    logits = tf.cast(logits, tf.float32)
    shape = tf.stack([tf.shape(logits)[0], num_samples, tf.shape(logits)[1]])
    noise = -tf.math.log(-tf.math.log(tf.maximum(uniform(shape, dtype=tf.float32, seed=seed), 1e-7)))
    return tf.cast(tf.argmax(logits[:, tf.newaxis] + noise, axis=-1), dtype)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> tf.Tensor:
    """Returns the slices of a tensor along an axis in random order."""
    x = tf.convert_to_tensor(x)
    return tf.gather(x, tf.argsort(uniform([tf.shape(x)[axis]], seed=seed), stable=True), axis=axis)


def _words(seed: Any) -> tf.Tensor:
    """Converts a Keras seed to the two int32 of TensorFlow, and advances it if it is a generator."""
    return keras_random._cast_seed(keras_random.draw_seed(seed))


def _unit(shape: Any, words: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Draws numbers from 0 to below 1, each of as many random bits as its type holds."""
    bits = dtype if dtype in _BITS else tf.float32
    return tf.cast(_bits(shape, words, bits), dtype) * tf.constant(2.0 ** -_BITS[bits], dtype)


def _bits(shape: Any, words: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Draws as many random bits as a floating-point type holds, as int32."""
    full = tf.random.stateless_uniform(
        _static(shape), words, minval=None, maxval=None, dtype=tf.uint32, alg=tf.random.Algorithm.PHILOX
    )
    return tf.cast(tf.bitwise.bitwise_and(full, tf.constant(2 ** _BITS[dtype] - 1, tf.uint32)), tf.int32)


def _static(shape: Any) -> Any:
    """Returns a shape as a tensor, or statically if it is known, so that draws have a static shape."""
    shape = tf.reshape(tf.convert_to_tensor(shape, tf.int32), [-1])
    known = tf.get_static_value(shape)
    return shape if known is None else known


def _no_global_generator(global_generator: Callable) -> Callable:
    """Replaces Keras's global generator for draws without a seed, which a traced step can neither make nor resume."""

    @functools.wraps(global_generator)
    def generator() -> Any:
        if getattr(_state, "alike", False):
            raise ValueError(
                "keras.random draws without a seed here; expected seed=self.seed_generator, a "
                "keras.random.SeedGenerator made in the __init__ of a layer of the model, or in a term "
                "tf.random.stateless_* with a seed made of the key 'update'"
            )
        return global_generator()

    return generator


def _chosen(keras_function: Callable, own: Callable) -> Callable:
    @functools.wraps(keras_function)
    def draw(*args: Any, **kwargs: Any) -> Any:
        return (own if getattr(_state, "alike", False) else keras_function)(*args, **kwargs)

    return draw


# Layers look these up in Keras's module each time that they draw.
for _own in (uniform, normal, truncated_normal, dropout, randint, categorical, shuffle):
    setattr(keras_random, _own.__name__, _chosen(getattr(keras_random, _own.__name__), _own))
keras_seeds.global_seed_generator = _no_global_generator(keras_seeds.global_seed_generator)
