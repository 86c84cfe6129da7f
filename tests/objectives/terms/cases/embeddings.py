"""Cases of how embeddings are spread: what NumPy and SciPy say of them."""

import numpy as np
from scipy.spatial.distance import cdist, pdist

from objectives import KoLeo, Uniformity
from tests.objectives.terms.cases.case import Case, Kink, at, flat, normal


def _directions(embeddings):
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)


def _uniformity(places, t):
    return np.log(np.mean(np.exp(-t * pdist(places, "sqeuclidean"))))


def _koleo(places, epsilon):
    distances = cdist(places, places) + np.where(np.eye(len(places), dtype=bool), np.inf, 0)
    return -np.mean(np.log(np.min(distances, axis=1) + epsilon))


WHOLE = {
    "uniformity": Case(
        term=Uniformity(embeddings="activations.projector"),
        tensors={"embeddings": normal(6, 3)},
        oracle=lambda embeddings: _uniformity(_directions(embeddings), 2),
        whose="SciPy",
    ),
    "uniformity of lengths too": Case(
        term=Uniformity(embeddings="outputs", normalize=False, t=0.5),
        tensors={"embeddings": normal(5, 4)},
        oracle=lambda embeddings: _uniformity(embeddings, 0.5),
        whose="SciPy",
    ),
    "koleo": Case(
        term=KoLeo(embeddings="activations.projector"),
        tensors={"embeddings": normal(6, 3)},
        oracle=lambda embeddings: _koleo(_directions(embeddings), 1e-8),
        whose="SciPy",
    ),
    "koleo of lengths too": Case(
        term=KoLeo(embeddings="outputs", normalize=False, epsilon=0.5),
        tensors={"embeddings": normal(5, 2)},
        oracle=lambda embeddings: _koleo(embeddings, 0.5),
        whose="SciPy",
    ),
}


KINKS = {
    "coincident embeddings, uniformly": flat(
        Uniformity(embeddings="outputs"), {"embeddings": at([3, 0], [1, 0], [2, 0])}
    ),
    "embeddings of zeros, uniformly": flat(
        Uniformity(embeddings="outputs"), {"embeddings": np.zeros([3, 2], np.float32)}
    ),
    "coincident embeddings and zeros": flat(
        KoLeo(embeddings="outputs"), {"embeddings": at([3, 0], [1, 0], [0, 0], [0, 0])}
    ),
    "two nearest neighbours, of which the first counts": Kink(
        term=KoLeo(embeddings="outputs", normalize=False, epsilon=1.0),
        tensors={"embeddings": at([-1, 0], [0, 0], [1, 0])},
        gradient=at([1, 0], [-0.5, 0], [-0.5, 0]) / 3,
    ),
}
