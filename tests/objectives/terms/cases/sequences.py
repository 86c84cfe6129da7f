"""Cases of sequences of labels: what NumPy says of all paths that spell them."""

import itertools

import numpy as np
from scipy.special import log_softmax, logsumexp

from objectives import CTC
from tests.objectives.terms.cases.case import Case, Kink, at, normal, pairs


def _spelt(path):
    return [label for label, _ in itertools.groupby(path) if label]


def _ctc(y_true, y_pred, steps=None):
    """The definition: adds up the probabilities of every path."""
    found = []
    for i, labels in enumerate(y_true):
        logarithms = log_softmax(y_pred[i], axis=-1)[: None if steps is None else steps[i]]
        count, classes = logarithms.shape
        wanted = [label for label in labels if label]
        paths = [p for p in itertools.product(range(classes), repeat=count) if _spelt(p) == wanted]
        found.append(-logsumexp(logarithms[np.arange(count), np.array(paths)].sum(axis=1)))
    return np.array(found)


CASES = {
    "ctc": Case(
        term=CTC(),
        tensors=pairs(np.int32([[1, 2, 0], [2, 2, 0], [2, 1, 2], [0, 0, 0]]), normal(4, 5, 3)),
        oracle=_ctc,
    ),
    "ctc of sequences of several lengths": Case(
        term=CTC(label_length="inputs.labels", logit_length="inputs.steps"),
        tensors={
            "label_length": np.int64([1, 2, 0]),
            "logit_length": np.int32([3, 4, 2]),
            **pairs(np.int64([[1, 0], [1, 1], [0, 0]]), 2 * normal(3, 4, 3)),
        },
        oracle=lambda y_true, y_pred, label_length, logit_length: _ctc(y_true, y_pred, logit_length),
    ),
}


KINKS = {
    "one step of equal and of certain logits": Kink(
        term=CTC(),
        tensors=pairs(np.int32([[1], [1], [1], [0]]), at([[0, 0]], [[-1e4, 1e4]], [[1e4, -1e4]], [[1e4, -1e4]])),
        gradient=at([[0.5, -0.5]], [[0, 0]], [[1, -1]], [[0, 0]]) / 4,
    ),
}
