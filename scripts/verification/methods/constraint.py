"""The least |x|^2 with x1 + 2 x2 >= 1, found by a trainer with a limit: x is (0.2, 0.4), and the limit's price 0.4."""

from typing import Literal, get_args

import keras
import numpy as np

from objectives import FunctionTerm, Lagrangian, Objective
from trainer import ArraySource, Trainer

Method = Literal["augmented", "mdmm"]
METHODS: tuple[Method, ...] = get_args(Method)
EXPECTED = {"x1": 0.2, "x2": 0.4, "multiplier": 0.4}
BOUND = 1e-3
_RATE = 0.05


def solved(method: Method, steps: int) -> dict[str, float]:
    """Returns x and the multiplier after a training in which x is what a layer without inputs puts out."""
    inputs = keras.Input([1])
    x = keras.layers.Dense(2, kernel_initializer="zeros", bias_initializer="ones")
    trainer = Trainer(
        model=keras.Model(inputs, x(inputs)),
        objective=Objective(
            bound=FunctionTerm(fn=lambda y_pred: -y_pred[:, 0] - 2.0 * y_pred[:, 1]),
            size=FunctionTerm(fn=lambda y_pred: y_pred[:, 0] ** 2 + y_pred[:, 1] ** 2),
        ),
        balancer=Lagrangian(limits={"bound": -1.0}, method=method, learning_rate=_RATE),
        optimizer=keras.optimizers.SGD(_RATE),
        train=ArraySource(np.zeros([1, 1], np.float32)),
        batch_size=1,
        steps=steps,
        default_reports=False,
    )
    multiplier = trainer.train()["terms/bound/effective_weight"]
    first, second = x.bias.numpy().tolist()
    return {"x1": first, "x2": second, "multiplier": multiplier}
