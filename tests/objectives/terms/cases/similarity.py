"""Cases of vectors that are alike: what SciPy and NumPy say of them."""

import numpy as np
from scipy.spatial.distance import cosine, euclidean, sqeuclidean

from objectives import Contrastive, CosineSimilarity, Triplet
from tests.objectives.terms.cases.case import Case, Kink, at, flat, labels, normal, pairs


def _of_vectors(function, first, second):
    """Applies a function of two vectors to the last axis."""
    return np.array([function(first[i], second[i]) for i in np.ndindex(first.shape[:-1])]).reshape(first.shape[:-1])


def _cosine(y_true, y_pred):
    return _of_vectors(cosine, y_true, y_pred) - 1


def _contrastive(y_true, first, second, margin=1.0):
    distance = _of_vectors(euclidean, first, second)
    return np.where(y_true == 1, distance**2, np.maximum(margin - distance, 0) ** 2)


def _triplet(anchor, positive, negative, margin=1.0, distance=euclidean):
    near, far = _of_vectors(distance, anchor, positive), _of_vectors(distance, anchor, negative)
    return np.maximum(near - far + margin, 0)


def _three(*shape):
    return {name: normal(*shape, seed=seed) for seed, name in enumerate(("anchor", "positive", "negative"))}


CASES = {
    "cosine": Case(
        term=CosineSimilarity(), tensors=pairs(normal(4, 3), normal(4, 3, seed=1)), oracle=_cosine, whose="SciPy"
    ),
    "cosine of maps": Case(
        term=CosineSimilarity(y_pred="outputs.map"),
        tensors=pairs(normal(2, 2, 3, 2), 5 * normal(2, 2, 3, 2, seed=1)),
        oracle=_cosine,
        whose="SciPy",
    ),
    "contrastive": Case(
        term=Contrastive(margin=3.0),
        tensors={"y_true": labels(5, classes=2), "first": normal(5, 3), "second": normal(5, 3, seed=1)},
        oracle=lambda **tensors: _contrastive(margin=3.0, **tensors),
        whose="SciPy",
    ),
    "contrastive of sequences, by the first": Case(
        term=Contrastive(),
        tensors={
            "y_true": labels(3, 2, classes=2).astype(np.float32),
            "second": 0.5 * normal(3, 2, 2),
            "first": 0.5 * normal(3, 2, 2, seed=1),
        },
        oracle=_contrastive,
        whose="SciPy",
    ),
    "triplet": Case(term=Triplet(), tensors=_three(5, 3), oracle=_triplet, whose="SciPy"),
    "triplet of squares in sequences": Case(
        term=Triplet(margin=0.25, distance="squared"),
        tensors=_three(3, 2, 4),
        oracle=lambda **tensors: _triplet(margin=0.25, distance=sqeuclidean, **tensors),
        whose="SciPy",
    ),
}


ZERO, ONE = [0, 0], [1, 0]

KINKS = {
    "cosines of zeros, of the same and of tiny and huge vectors": flat(
        CosineSimilarity(), pairs(at(ONE, ZERO, ZERO, ONE, [0, 1e-30]), at(ZERO, ONE, ZERO, [2, 0], [0, 1e30]))
    ),
    "pairs that coincide, and one exactly at the margin": Kink(
        term=Contrastive(),
        tensors={
            "y_true": np.int32([1, 0, 0, 1]),
            "first": at(ZERO, ONE, ZERO, ZERO),
            "second": at(ZERO, ONE, ONE, ONE),
        },
        gradient=at(ZERO, ZERO, ZERO, [2, 0]) / 4,
    ),
    "triplets whose vectors coincide, and one exactly at the margin": Kink(
        term=Triplet(),
        tensors={
            "anchor": at(ZERO, ZERO, ZERO),
            "positive": at(ZERO, ONE, ZERO),
            "negative": at(ZERO, ZERO, ONE),
        },
        gradient=at(ZERO, ZERO, ZERO),
    ),
}
