"""Cases of entropy and sparsity: what NumPy and SciPy say of them."""

import numpy as np
from scipy.special import softmax
from scipy.stats import entropy

from objectives import ConfidencePenalty, EntropyPenalty, Sparsity
from tests.objectives.terms.cases.case import Case, at, flat, normal


def _entropy(y_pred):
    return entropy(softmax(y_pred, axis=-1), axis=-1)


def _hoyer(y_pred):
    """One less the sparseness of Hoyer (2004), section 3.1."""
    flat = y_pred.reshape(len(y_pred), -1)
    root = np.sqrt(flat.shape[1])
    return 1 - (root - np.linalg.norm(flat, 1, axis=1) / np.linalg.norm(flat, axis=1)) / (root - 1)


CASES = {
    "entropy": Case(term=EntropyPenalty(), tensors={"y_pred": normal(4, 3)}, oracle=_entropy, whose="SciPy"),
    "entropy of maps": Case(
        term=EntropyPenalty(y_pred="outputs.mask"),
        tensors={"y_pred": 3 * normal(2, 2, 3, 4)},
        oracle=_entropy,
        whose="SciPy",
    ),
    "confidence": Case(
        term=ConfidencePenalty(),
        tensors={"y_pred": normal(4, 3)},
        oracle=lambda y_pred: -_entropy(y_pred),
        whose="SciPy",
    ),
    "confidence of sequences": Case(
        term=ConfidencePenalty(),
        tensors={"y_pred": 3 * normal(2, 3, 4)},
        oracle=lambda y_pred: -_entropy(y_pred),
        whose="SciPy",
    ),
    "sparsity": Case(term=Sparsity(), tensors={"y_pred": normal(4, 3)}, oracle=_hoyer),
    "sparsity of maps": Case(
        term=Sparsity(y_pred="outputs.mask"), tensors={"y_pred": 3 * normal(3, 2, 2, 2)}, oracle=_hoyer
    ),
}


EXTREME = at([0, 0], [1e4, -1e4], [3e38, -3e38], [5, -np.inf])

KINKS = {
    "equal logits, and logits of any size": flat(EntropyPenalty(), {"y_pred": EXTREME}),
    "equal logits, and logits of any size, for confidence": flat(ConfidencePenalty(), {"y_pred": EXTREME}),
    "zeros, and a single element that is not 0": flat(Sparsity(), {"y_pred": at([0, 0, 0], [0, -2, 0])}),
}
