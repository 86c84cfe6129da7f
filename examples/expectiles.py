"""A term of one's own: an asymmetric squared error trains a model that predicts expectiles.

    python examples/expectiles.py

The model predicts how far a patient's diabetes progresses within a year, three times: so that it is rather too low, on
average right, and rather too high. An expectile is to the mean what a quantile is to the median: of all that the 90 %
expectile is off by, it is too high by 90 % and too low by 10 %. `Expectile` is the new term; `SequenceOrdering`, which
comes with Termwise, keeps the expectiles from crossing. In a gin file the new term is added by

    import expectiles
    Objective.expectile = @Expectile()
"""

import dataclasses
import pathlib

import gin
import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes

from objectives import Key, Objective, SequenceOrdering, Term
from trainer import ArraySource, Trainer

WORKDIR = pathlib.Path("runs/expectiles")


@gin.register(module="expectiles")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Expectile(Term):
    """Makes each output an expectile of what the target may be (Newey & Powell, 1987).

    Formula: `level * error^2` where `error = y_true - y_pred` is above 0, else `(1 - level) * error^2`, for each level.

    Attributes:
      y_true: `[batch, 1]`.
      y_pred: `[batch, levels]`.
      levels: which expectile each output is, between 0 and 1; 0.5 is the mean.

    >>> float(Expectile(levels=(0.75,))(y_true=[[2.0]], y_pred=[[0.0]]))  # too low costs three times ...
    3.0
    >>> float(Expectile(levels=(0.75,))(y_true=[[0.0]], y_pred=[[2.0]]))  # ... what too high costs
    1.0
    """

    y_true: Key = "targets"
    y_pred: Key = "outputs"
    levels: tuple[float, ...] = (0.1, 0.5, 0.9)

    def values(self, y_true, y_pred):
        levels, error = tf.constant(self.levels, y_pred.dtype), y_true - y_pred
        return tf.where(error > 0, levels, 1.0 - levels) * error**2


def main() -> None:
    """Trains, tells by how much each expectile is too high on the evaluation data, and draws them."""
    x, y = load_diabetes(return_X_y=True)
    x, y = (20.0 * x).astype(np.float32), (y[:, None] / 100.0).astype(np.float32)  # both are of the size of 1
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input([x.shape[1]]), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3)]
    )
    Trainer(
        model=model,
        objective=Objective(expectile=Expectile(), order=SequenceOrdering(weight=1.0)),
        optimizer=keras.optimizers.Adam(3e-3),
        train=ArraySource(x[:300], y[:300]),
        eval=ArraySource(x[300:], y[300:]),
        steps=300,
        workdir=WORKDIR,
    ).train()
    true, predicted = y[300:], model.predict(x[300:], verbose=0)
    too_high, too_low = (np.maximum(error, 0.0).sum(axis=0) for error in (predicted - true, true - predicted))
    for level, share in zip(Expectile().levels, too_high / (too_high + too_low), strict=True):
        print(f"expectile {level:.0%}: of all that it is off by, it is too high by {share:.0%}")
    print(f"picture: {draw(true[:, 0], predicted, WORKDIR / 'expectiles.png')}")


def draw(true: np.ndarray, predicted: np.ndarray, path: pathlib.Path) -> pathlib.Path:
    """Draws each patient's expectiles as a band with the mean in it, and what was measured as a dot."""
    order = predicted[:, 1].argsort()
    low, middle, high = predicted[order].T
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(range(len(order)), low, high, alpha=0.25, label="from 10 % to 90 %")
    axes.plot(middle, label="50 %, the mean")
    axes.plot(true[order], ".", color="black", label="measured")
    axes.set(xlabel="patients, by the predicted mean", ylabel="progression of the disease / 100")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)
    return path


if __name__ == "__main__":
    main()
