"""A term of one's own: the pinball loss trains a model that predicts quantiles.

    python examples/quantiles.py

The model predicts how far a patient's diabetes progresses within a year, as three quantiles: in one of ten patients it
shall be below the first, in half of them below the second, in nine of ten below the third. `Pinball` is the new term,
which Termwise has as `QuantileLoss` too; here it shows how few lines one takes.
`SequenceOrdering`, which comes with Termwise, keeps the quantiles from crossing. In a gin file the new term is added by

    import quantiles
    Objective.pinball = @Pinball()
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

WORKDIR = pathlib.Path("runs/quantiles")


@gin.register(module="quantiles")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Pinball(Term):
    """Makes each output a quantile of what the target may be.

    Formula: `max(q * (y_true - y_pred), (q - 1) * (y_true - y_pred))` for each quantile q.

    Attributes:
      y_true: `[batch, 1]`.
      y_pred: `[batch, quantiles]`.
      quantiles: which quantile each output is, between 0 and 1.

    >>> float(Pinball(quantiles=(0.75,))(y_true=[[1.0]], y_pred=[[0.0]]))  # too low costs three times ...
    0.75
    >>> float(Pinball(quantiles=(0.75,))(y_true=[[0.0]], y_pred=[[1.0]]))  # ... what too high costs
    0.25
    """

    y_true: Key = "targets"
    y_pred: Key = "outputs"
    quantiles: tuple[float, ...] = (0.1, 0.5, 0.9)

    def values(self, y_true, y_pred):
        quantiles, error = tf.constant(self.quantiles, y_pred.dtype), y_true - y_pred
        return tf.maximum(quantiles * error, (quantiles - 1.0) * error)


def main() -> None:
    """Trains, counts how many patients of the evaluation data lie below each quantile, and draws them."""
    x, y = load_diabetes(return_X_y=True)
    x, y = (20.0 * x).astype(np.float32), (y[:, None] / 100.0).astype(np.float32)  # both are of the size of 1
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input([x.shape[1]]), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3)]
    )
    Trainer(
        model=model,
        objective=Objective(pinball=Pinball(), order=SequenceOrdering(weight=1.0)),
        optimizer=keras.optimizers.Adam(3e-3),
        train=ArraySource(x[:300], y[:300]),
        eval=ArraySource(x[300:], y[300:]),
        steps=300,
        workdir=WORKDIR,
    ).train()
    true, predicted = y[300:], model.predict(x[300:], verbose=0)
    for quantile, below in zip(Pinball().quantiles, (true < predicted).mean(axis=0), strict=True):
        print(f"quantile {quantile:.0%}: {below:.0%} of the patients are below it")
    print(f"picture: {draw(true[:, 0], predicted, WORKDIR / 'quantiles.png')}")


def draw(true: np.ndarray, predicted: np.ndarray, path: pathlib.Path) -> pathlib.Path:
    """Draws each patient's quantiles as a band with the median in it, and what was measured as a dot."""
    order = predicted[:, 1].argsort()
    low, middle, high = predicted[order].T
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(range(len(order)), low, high, alpha=0.25, label="from 10 % to 90 %")
    axes.plot(middle, label="50 %")
    axes.plot(true[order], ".", color="black", label="measured")
    axes.set(xlabel="patients, by the predicted median", ylabel="progression of the disease / 100")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)
    return path


if __name__ == "__main__":
    main()
