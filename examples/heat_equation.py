"""A partial differential equation: a network becomes the temperature of a rod, by terms over its own derivatives.

    python examples/heat_equation.py

The rod has the temperature sin(pi x) at first, and its ends are kept at 0. How it cools is known exactly, which tells
how far the network is from it. `u_xx` is read by the key `gradients.outputs.rod/inputs.rod.x/inputs.rod.x`.
"""

import pathlib

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from objectives import MeanSquaredError, Objective, PdeResidual
from trainer import ArraySource, MixedSource, Trainer, model_of_parts

WORKDIR = pathlib.Path("runs/heat_equation")
STEPS, DIFFUSIVITY = 2500, 0.4


def exact(x: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Returns the temperature at some places and times."""
    return np.exp(-DIFFUSIVITY * np.pi**2 * t) * np.sin(np.pi * x)


def heat(u_t: tf.Tensor, u_xx: tf.Tensor) -> tf.Tensor:
    """Returns what is 0 where the heat equation holds, given the derivatives by time and twice by place."""
    return u_t - DIFFUSIVITY * u_xx


OBJECTIVE = Objective(
    heat=PdeResidual(fn=heat, keys_of={"u": "outputs.rod", "x": "inputs.rod.x", "t": "inputs.rod.t"}),
    ends=MeanSquaredError(y_true="targets.ends", y_pred="outputs.ends", weight=10.0),
    start=MeanSquaredError(y_true="targets.start", y_pred="outputs.start", weight=10.0),
)


def main(steps: int = STEPS) -> None:
    """Trains, compares the network with the exact temperature, and draws both."""
    keras.utils.set_random_seed(0)
    net = network()
    Trainer(
        model=model_of_parts(net, parts=("ends", "rod", "start")),
        objective=OBJECTIVE,
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)),
        train=points(np.random.default_rng(0)),
        batch_size=2200,  # all points in each step
        steps=steps,
        workdir=WORKDIR,
    ).train()
    x, t = np.meshgrid(np.linspace(0, 1, 101), np.linspace(0, 1, 101))
    rod = {"x": x.reshape(-1, 1).astype(np.float32), "t": t.reshape(-1, 1).astype(np.float32)}
    found, true = net.predict(rod, batch_size=1024, verbose=0).reshape(x.shape), exact(x, t)
    print(f"relative error: {np.linalg.norm(found - true) / np.linalg.norm(true):.2e}")
    print(f"picture: {draw(found, true, WORKDIR / 'heat.png')}")


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


def _column(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)[:, None]


def draw(found: np.ndarray, true: np.ndarray, path: pathlib.Path) -> pathlib.Path:
    """Draws what was learned, what is true, and the difference, each over place and time."""
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    panels = {"learned": found, "exact": true, "difference": found - true}
    for axes, (name, values) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        picture = axes.imshow(values, origin="lower", extent=(0, 1, 0, 1), aspect="auto")
        axes.set(title=name, xlabel="place", ylabel="time")
        figure.colorbar(picture)
    figure.savefig(path, dpi=120)
    return path


if __name__ == "__main__":
    main()
