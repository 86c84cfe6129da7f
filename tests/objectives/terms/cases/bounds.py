"""Cases of bounds on single elements: what NumPy and SciPy say of them."""

import numpy as np

from objectives import Binarity, Quantization, RangeHinge
from tests.objectives.terms.cases.case import Case, Kink, at, flat, normal

CASES = {
    "range hinge": Case(
        term=RangeHinge(min_value=-0.5, max_value=0.75),
        tensors={"y_pred": normal(3, 2, 2)},
        oracle=lambda y_pred: np.maximum(0, -0.5 - y_pred) + np.maximum(0, y_pred - 0.75),
    ),
    "quantization": Case(
        term=Quantization(),
        tensors={"y_pred": 3 * normal(3, 4)},
        oracle=lambda y_pred: np.abs(y_pred - np.floor(y_pred + 0.5)),
    ),
    "quantization on a grid of its own": Case(
        term=Quantization(spacing=0.5, offset=0.125),
        tensors={"y_pred": normal(3, 2, 2)},
        oracle=lambda y_pred: np.min(np.abs(y_pred[..., None] - 0.125 - 0.5 * np.arange(-20, 21)), axis=-1),
    ),
    "binarity": Case(
        term=Binarity(),
        tensors={"y_pred": normal(3, 4)},
        oracle=lambda y_pred: np.polyval([1, -2, 1, 0, 0], y_pred),
    ),
    "binarity of maps": Case(
        term=Binarity(y_pred="outputs.mask"),
        tensors={"y_pred": np.abs(np.sin(normal(2, 2, 3, 1)))},
        oracle=lambda y_pred: np.polyval([1, -2, 1, 0, 0], y_pred),
    ),
}


KINKS = {
    "on the bounds of a range": flat(RangeHinge(), {"y_pred": at([-1.0, 1.0, 0.0])}),
    "a range of one point": Kink(
        term=RangeHinge(min_value=0.0, max_value=0.0), tensors={"y_pred": at([0.0, 1.0])}, gradient=at([0, 0.5])
    ),
    "on the grid, and halfway between its points": Kink(
        term=Quantization(), tensors={"y_pred": at([0.0, 0.5, 1.5, -0.5])}, gradient=at([0, 0.25, -0.25, -0.25])
    ),
    "at 0, at 1, and halfway between them": Kink(
        term=Binarity(), tensors={"y_pred": at([0.0, 0.5, 1.0, 2.0])}, gradient=at([0, 0, 0, 3])
    ),
}
