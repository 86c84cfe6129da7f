"""The heat equation without a measurement: a rod that cools as is known exactly, from its start and its ends alone."""

import keras
import numpy as np
import tensorflow as tf

from objectives import MeanSquaredError, Objective, PdeResidual
from trainer import ArraySource, MixedSource

_DIFFUSIVITY = 0.4


def exact(x: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Returns the temperature at some places and times."""
    return np.exp(-_DIFFUSIVITY * np.pi**2 * t) * np.sin(np.pi * x)


def _residual(u_t: tf.Tensor, u_xx: tf.Tensor) -> tf.Tensor:
    return u_t - _DIFFUSIVITY * u_xx


OBJECTIVE = Objective(
    heat=PdeResidual(fn=_residual, keys_of={"u": "outputs.rod", "x": "inputs.rod.x", "t": "inputs.rod.t"}),
    ends=MeanSquaredError(y_true="targets.ends", y_pred="outputs.ends", weight=10.0),
    start=MeanSquaredError(y_true="targets.start", y_pred="outputs.start", weight=10.0),
)


def network() -> keras.Model:
    """Returns the temperature as a function of place and time."""
    at = {name: keras.Input([1], name=name) for name in ("x", "t")}
    hidden = keras.layers.Concatenate()([at["x"], at["t"]])
    for _ in range(4):
        hidden = keras.layers.Dense(50, activation="tanh")(hidden)
    return keras.Model(at, keras.layers.Dense(1)(hidden))


def points(rng: np.random.Generator) -> MixedSource:
    """Returns random points of the rod at all times, of its ends, and of the start."""
    rod = {"x": _column(rng.uniform(size=2000)), "t": _column(rng.uniform(size=2000))}
    ends = {"x": _column(np.arange(100) % 2), "t": _column(rng.uniform(size=100))}
    start = {"x": _column(rng.uniform(size=100)), "t": _column(np.zeros(100))}
    return MixedSource(
        rod=ArraySource(rod),
        ends=ArraySource(ends, exact(**ends)),
        start=ArraySource(start, exact(**start)),
        shares={"rod": 20, "ends": 1, "start": 1},
    )


def error_of(net: keras.Model) -> float:
    """Returns how far the network is from the exact temperature, in a part of its size."""
    x, t = (one.reshape(-1, 1).astype(np.float32) for one in np.meshgrid(*[np.linspace(0, 1, 41)] * 2))
    true = exact(x, t)
    found = np.asarray(net({"x": x, "t": t}, training=False))
    return float(np.linalg.norm(found - true) / np.linalg.norm(true))


def _column(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)[:, None]
