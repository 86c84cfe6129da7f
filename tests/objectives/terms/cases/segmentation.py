"""Cases of overlaps and boundaries of regions: what Keras, SciPy and NumPy say of them."""

import keras
import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.special import expit, softmax

from objectives import Boundary, Dice, GeneralizedDice, Jaccard, Tversky
from tests.objectives.terms.cases.case import Case, Kink, at, labels, normal, pairs

SPACE = (1, 2)
SMOOTH = 1e-5


def _regions(*shape):
    return labels(*shape, classes=2).astype(np.float32)


def _classes(y_true):
    return np.eye(3)[y_true]


def _dice(y_true, y_pred):
    # Keras rounds the size of the regions up by 1e-7, and adds nothing to the overlap.
    return np.asarray(keras.losses.dice(y_true, y_pred, axis=SPACE))


def _tversky(y_true, y_pred, alpha, beta, axis=SPACE):
    # The arguments of Keras are the other way round.
    return np.asarray(keras.losses.tversky(y_true, y_pred, alpha=beta, beta=alpha, axis=axis))


def _jaccard(y_true, y_pred):
    both = np.sum(y_true * y_pred, axis=SPACE)
    either = np.sum(y_true + y_pred, axis=SPACE) - both
    return 1 - (both + SMOOTH) / (either + SMOOTH)


def _generalized_dice(y_true, y_pred):
    sizes = np.sum(y_true, axis=SPACE)
    weights = 1 / np.square(np.where(sizes > 0, sizes, np.inf))
    weights = np.where(sizes > 0, weights, weights.max(axis=-1, keepdims=True))
    weights = weights / weights.max(axis=-1, keepdims=True)
    both, sizes = (np.sum(weights * np.sum(part, axis=SPACE), axis=-1) for part in (y_true * y_pred, y_true + y_pred))
    return 1 - (2 * both + SMOOTH) / (sizes + SMOOTH)


def signed_distances(regions):
    """Of each class of each example, in pixels."""
    found = np.zeros(regions.shape)
    for index in np.ndindex(regions.shape[0], regions.shape[-1]):
        region = regions[index[0], ..., index[1]]
        found[index[0], ..., index[1]] = distance_transform_edt(1 - region) - distance_transform_edt(region)
    return found.astype(np.float32)


PROBABILITIES = expit(normal(3, 4, 5, 2))
LOGITS = 2 * normal(3, 4, 5, 3)
TRUE = labels(3, 4, 5)

# Without smoothing, as these oracles have none.
EXACT = {"smooth": 1e-12}
# A mask of examples: one of pixels changes the sums themselves.
EXAMPLES = {"mask_shape": (3,)}

CASES = {
    "dice": Case(
        term=Dice(**EXACT), tensors=pairs(_regions(3, 4, 5, 2), PROBABILITIES), oracle=_dice, whose="Keras", **EXAMPLES
    ),
    "dice of labels and logits": Case(
        term=Dice(activation="softmax", **EXACT),
        tensors=pairs(TRUE, LOGITS),
        oracle=lambda y_true, y_pred: _dice(_classes(y_true), softmax(y_pred, axis=-1)),
        whose="Keras",
        **EXAMPLES,
    ),
    "dice of a single class": Case(
        term=Dice(activation="sigmoid", **EXACT),
        tensors=pairs(_regions(3, 4, 5), normal(3, 4, 5)),
        oracle=lambda y_true, y_pred: _dice(y_true, expit(y_pred)),
        whose="Keras",
    ),
    "tversky": Case(
        term=Tversky(alpha=0.25, beta=0.75, **EXACT),
        tensors=pairs(_regions(3, 4, 5, 2), PROBABILITIES),
        oracle=lambda y_true, y_pred: _tversky(y_true, y_pred, 0.25, 0.75),
        whose="Keras",
        **EXAMPLES,
    ),
    "tversky of sequences": Case(
        term=Tversky(alpha=0.5, beta=1.0, spatial_axes=1, activation="sigmoid", **EXACT),
        tensors=pairs(_regions(3, 6, 2), normal(3, 6, 2)),
        oracle=lambda y_true, y_pred: _tversky(y_true, expit(y_pred), 0.5, 1.0, axis=1),
        whose="Keras",
        **EXAMPLES,
    ),
    "jaccard": Case(term=Jaccard(), tensors=pairs(_regions(3, 4, 5, 2), PROBABILITIES), oracle=_jaccard, **EXAMPLES),
    "jaccard of labels and logits": Case(
        term=Jaccard(activation="softmax"),
        tensors=pairs(TRUE, LOGITS),
        oracle=lambda y_true, y_pred: _jaccard(_classes(y_true), softmax(y_pred, axis=-1)),
        **EXAMPLES,
    ),
    "generalized dice": Case(
        term=GeneralizedDice(), tensors=pairs(_regions(3, 4, 5, 2), PROBABILITIES), oracle=_generalized_dice
    ),
    "generalized dice of labels, one of them absent": Case(
        term=GeneralizedDice(activation="softmax"),
        tensors=pairs(np.minimum(TRUE, 1), LOGITS),
        oracle=lambda y_true, y_pred: _generalized_dice(_classes(y_true), softmax(y_pred, axis=-1)),
    ),
    "boundary": Case(
        term=Boundary(),
        tensors={"distances": signed_distances(_regions(3, 4, 5, 2)), "y_pred": PROBABILITIES},
        oracle=lambda distances, y_pred: distances * y_pred,
    ),
    "boundary of logits": Case(
        term=Boundary(activation="softmax"),
        tensors={"distances": signed_distances(_classes(TRUE)), "y_pred": LOGITS},
        oracle=lambda distances, y_pred: distances * softmax(y_pred, axis=-1),
        mask_shape=(3, 4, 5),
    ),
}


ABSENT = pairs(np.zeros([1, 2, 1], np.float32), np.zeros([1, 2, 1], np.float32))  # neither there nor predicted
ALONG = {"spatial_axes": 1, "smooth": 1.0}

KINKS = {
    "dice of an absent class that is not predicted": Kink(term=Dice(**ALONG), tensors=ABSENT, gradient=at([[1], [1]])),
    "dice of certain logits, right and wrong": Kink(
        term=Dice(activation="sigmoid", **ALONG),
        tensors=pairs(at([[1], [0]]), at([[1e4], [1e4]])),
        gradient=at([[0], [0]]),
    ),
    "tversky of an absent class that is not predicted": Kink(
        term=Tversky(alpha=0.25, beta=0.75, **ALONG), tensors=ABSENT, gradient=at([[0.25], [0.25]])
    ),
    "jaccard of an absent class that is not predicted": Kink(
        term=Jaccard(**ALONG), tensors=ABSENT, gradient=at([[1], [1]])
    ),
    "generalized dice of classes that are all absent": Kink(
        term=GeneralizedDice(**ALONG), tensors=ABSENT, gradient=at([[1], [1]])
    ),
    "on the boundary, and at certain logits": Kink(
        term=Boundary(activation="sigmoid"),
        tensors={"distances": at([0, 2, -2, 4]), "y_pred": at([0, 1e4, -1e4, 0])},
        gradient=at([0, 0, 0, 1]) / 4,
    ),
}
