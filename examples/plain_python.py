"""Plain Python, without gin: a Keras model learns from NumPy arrays by a sum of three terms.

    python examples/plain_python.py

The model removes noise from pictures of handwritten digits. The same command again resumes the run, or, once it is
finished, shows its result.
"""

import pathlib

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

from objectives import ActivationPenalty, MeanSquaredError, Objective, RangeHinge
from trainer import ArraySource, Trainer

WORKDIR = pathlib.Path("runs/plain_python")


def main() -> None:
    """Trains the model, shows each term on the evaluation data, and draws some of its pictures."""
    clean = (load_digits().images / 16.0).astype(np.float32)
    noisy = clean + np.random.default_rng(0).normal(scale=0.4, size=clean.shape).astype(np.float32)

    keras.utils.set_random_seed(0)
    inputs = keras.Input([8, 8])
    hidden = keras.layers.Dense(128, activation="relu", name="hidden")(keras.layers.Flatten()(inputs))
    outputs = keras.layers.Reshape([8, 8])(keras.layers.Dense(64)(hidden))
    model = keras.Model(inputs, outputs)

    trainer = Trainer(
        model=model,
        objective=Objective(
            data=MeanSquaredError(),
            range=RangeHinge(min_value=0.0, max_value=1.0, weight=0.1),  # a pixel is between black and white
            sparse=ActivationPenalty(activation="activations.hidden", weight=0.001),
        ),
        optimizer=keras.optimizers.Adam(1e-3),
        train=ArraySource(noisy[:1500], clean[:1500]),
        eval=ArraySource(noisy[1500:], clean[1500:]),
        steps=1000,
        workdir=WORKDIR,
    )
    values = trainer.train()
    for name in ("data", "range", "sparse"):
        print(f"{name:6}  raw {values[f'terms/{name}/raw']:.4f}  weighted {values[f'terms/{name}/weighted']:.5f}")
    print(f"total   {values['loss/total']:.5f}")

    shown = noisy[-10:]
    pictures = {"noisy": shown, "denoised": model.predict(shown, verbose=0), "original": clean[-10:]}
    print(f"picture: {draw(pictures, WORKDIR / 'digits.png')}")


def draw(rows: dict[str, np.ndarray], path: pathlib.Path) -> pathlib.Path:
    """Draws each group of pictures `[n, 8, 8]` as a row, with its name."""
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    axes = figure.subplots(len(rows), len(next(iter(rows.values()))))
    for panels, (name, pictures) in zip(axes, rows.items(), strict=True):
        panels[0].set_ylabel(name)
        for panel, picture in zip(panels, pictures, strict=True):
            panel.imshow(picture, cmap="gray", vmin=0.0, vmax=1.0)
            panel.set(xticks=[], yticks=[])
    figure.savefig(path, dpi=120)
    return path


if __name__ == "__main__":
    main()
