"""The table of every bundled term with an independent oracle, and the three ways to compile."""

import dataclasses
import functools
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import pdist
from scipy.special import log_expit, log_softmax, softmax

from objectives import (
    ActivationPenalty,
    ConfusionWeightedCrossEntropy,
    Context,
    ContextualMeanSquaredError,
    Decorrelation,
    ExpectedConfusionCost,
    FunctionTerm,
    KerasLoss,
    MeanSquaredError,
    Orthogonality,
    PairwiseOverlap,
    Quantization,
    RangeHinge,
    SequenceOrdering,
    Term,
    TotalVariation,
    WeightDecay,
    WeightedBinaryCrossEntropy,
    WeightedMeanSquaredError,
)
from objectives.indices import guarded, poison


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """A term, what it reads, and its unreduced values in NumPy; the last read is the one to differentiate by."""

    term: Term
    tensors: dict[str, np.ndarray]
    oracle: Callable[..., np.ndarray]
    mask_shape: tuple[int, ...] | None = None  # of a mask an element, where it is not the shape of the values
    value_mask: Callable[[np.ndarray], np.ndarray] = lambda mask: mask

    @property
    def by(self) -> str:
        return list(self.tensors)[-1]

    @functools.cached_property
    def masked(self) -> Term:
        """The term with a mask and sample weights; one object, so that what is compiled of it can be kept."""
        return dataclasses.replace(self.term, mask="weights.mask", sample_weight="sample_weight")

    def values(self, **changed: np.ndarray) -> np.ndarray:
        return self.oracle(**{name: np.asarray(a, _wide(a)) for name, a in {**self.tensors, **changed}.items()})

    def mean(self, mask=1.0, factor=1.0, **changed: np.ndarray) -> float:
        """Of the values; `mask` and `factor` are in the shape of the values or spread over it from the left."""
        values = self.values(**changed)
        mask, factor = (_spread(a, values.shape) for a in (mask, factor))
        return np.sum(values * mask * factor) / np.sum(mask)


def _wide(array):
    return np.int64 if np.issubdtype(array.dtype, np.integer) else np.float64


def _spread(array, shape):
    array = np.asarray(array, np.float64)
    return np.broadcast_to(array.reshape(array.shape + (1,) * (len(shape) - array.ndim)), shape)


def _normal(*shape, seed=0):
    """Generic points: no ties, no grid points, nothing on a bound; exact in float32."""
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32)


def _labels(*shape, classes=3):
    return np.random.default_rng(shape).integers(classes, size=shape, dtype=np.int32)


def _pairs(y_true, y_pred):
    return {"y_true": y_true, "y_pred": y_pred}


COSTS = ((0.0, 1.0, 4.0), (2.0, 0.0, 1.0), (0.5, 3.0, 0.0))
POSITIONS = ((1.0, 0.0, 2.0), (3.0, 0.5, 1.0))


def _squared(y_true, y_pred):
    return (y_pred - y_true) ** 2


def _weighted_binary(y_true, y_pred, positive_weight):
    return -positive_weight * y_true * log_expit(y_pred) - (1 - y_true) * log_expit(-y_pred)


def _confusion_weighted(y_true, y_pred):
    cross_entropy = -np.take_along_axis(log_softmax(y_pred, axis=-1), y_true[..., None], axis=-1)[..., 0]
    return (1 + np.array(COSTS)[y_true, y_pred.argmax(axis=-1)]) * cross_entropy


def _total_variation(y_pred, spatial_axes, reduce=np.mean):
    steps = [np.abs(np.diff(y_pred, axis=axis)) for axis in range(1, spatial_axes + 1)]
    return sum(reduce(step.reshape(len(step), -1), axis=-1) for step in steps if step.size)


def _orthogonality(variable):
    columns = variable / np.linalg.norm(variable, axis=0)
    return np.mean(np.abs(columns.T @ columns)[np.triu_indices(columns.shape[1], k=1)])


def _decorrelation(features):
    covariance = np.cov(features, rowvar=False, bias=True)
    return 0.5 * (np.sum(covariance**2) - np.sum(np.diag(covariance) ** 2))


def _both_points(mask):
    return np.stack([[a * b for i, a in enumerate(row) for b in row[i + 1 :]] for row in mask])


def _both_ends(mask):
    return mask[:, 1:] * mask[:, :-1]


CASES = {
    "mse": Case(
        term=MeanSquaredError(),
        tensors=_pairs(_normal(3, 4), _normal(3, 4, seed=1)),
        oracle=_squared,
    ),
    "mse of maps": Case(
        term=MeanSquaredError(y_true="targets.map", y_pred="outputs.map"),
        tensors=_pairs(_normal(2, 3, 2, 2), _normal(2, 3, 2, 2, seed=1)),
        oracle=_squared,
    ),
    "mse of one number an example": Case(
        term=MeanSquaredError(),
        tensors=_pairs(_normal(5), _normal(5, seed=1)),
        oracle=_squared,
    ),
    "weighted mse": Case(
        term=WeightedMeanSquaredError(position_weights=POSITIONS),
        tensors=_pairs(_normal(3, 2, 3), _normal(3, 2, 3, seed=1)),
        oracle=lambda y_true, y_pred: np.array(POSITIONS) * _squared(y_true, y_pred),
    ),
    "weighted mse, normalized, by channel": Case(
        term=WeightedMeanSquaredError(position_weights=np.array([1.0, 3.0, 4.0]), normalized=True),
        tensors=_pairs(_normal(3, 2, 3), _normal(3, 2, 3, seed=1)),
        oracle=lambda y_true, y_pred: np.array([3 / 8, 9 / 8, 12 / 8]) * _squared(y_true, y_pred),
    ),
    "contextual mse": Case(
        term=ContextualMeanSquaredError(),
        tensors={"context": _normal(3, 4), **_pairs(_normal(3, 4), _normal(3, 4, seed=1))},
        oracle=lambda y_true, y_pred, context: (0.1 + np.abs(context)) * _squared(y_true, y_pred),
    ),
    "contextual mse of maps, context of its own": Case(
        term=ContextualMeanSquaredError(context="inputs.context", floor=0.5),
        tensors={"context": _normal(2, 2, 3, 1), **_pairs(_normal(2, 2, 3, 1, seed=1), _normal(2, 2, 3, 1, seed=2))},
        oracle=lambda y_true, y_pred, context: (0.5 + np.abs(context)) * _squared(y_true, y_pred),
    ),
    "weighted binary cross-entropy": Case(
        term=WeightedBinaryCrossEntropy(),
        tensors=_pairs(_labels(4, 3, classes=2), 3 * _normal(4, 3)),
        oracle=functools.partial(_weighted_binary, positive_weight=10),
    ),
    "weighted binary cross-entropy of soft maps": Case(
        term=WeightedBinaryCrossEntropy(positive_weight=2.5),
        tensors=_pairs(np.abs(np.sin(_normal(2, 2, 3, 1))), _normal(2, 2, 3, 1)),
        oracle=functools.partial(_weighted_binary, positive_weight=2.5),
    ),
    "confusion-weighted cross-entropy": Case(
        term=ConfusionWeightedCrossEntropy(costs=COSTS),
        tensors=_pairs(_labels(5), _normal(5, 3)),
        oracle=_confusion_weighted,
    ),
    "confusion-weighted cross-entropy of maps": Case(
        term=ConfusionWeightedCrossEntropy(costs=COSTS),
        tensors=_pairs(_labels(2, 2, 3), 3 * _normal(2, 2, 3, 3)),
        oracle=_confusion_weighted,
    ),
    "expected confusion cost": Case(
        term=ExpectedConfusionCost(costs=COSTS),
        tensors=_pairs(_labels(5).astype(np.int64), _normal(5, 3)),
        oracle=lambda y_true, y_pred: np.sum(np.array(COSTS)[y_true] * softmax(y_pred, axis=-1), axis=-1),
    ),
    "expected confusion cost of maps": Case(
        term=ExpectedConfusionCost(costs=COSTS),
        tensors=_pairs(_labels(2, 2, 3), _normal(2, 2, 3, 3)),
        oracle=lambda y_true, y_pred: np.sum(np.array(COSTS)[y_true] * softmax(y_pred, axis=-1), axis=-1),
    ),
    "range hinge": Case(
        term=RangeHinge(min_value=-0.5, max_value=0.75),
        tensors={"y_pred": _normal(3, 2, 2)},
        oracle=lambda y_pred: np.maximum(0, -0.5 - y_pred) + np.maximum(0, y_pred - 0.75),
    ),
    "quantization": Case(
        term=Quantization(),
        tensors={"y_pred": 3 * _normal(3, 4)},
        oracle=lambda y_pred: np.abs(y_pred - np.floor(y_pred + 0.5)),
    ),
    "quantization on a grid of its own": Case(
        term=Quantization(spacing=0.5, offset=0.125),
        tensors={"y_pred": _normal(3, 2, 2)},
        oracle=lambda y_pred: np.min(np.abs(y_pred[..., None] - 0.125 - 0.5 * np.arange(-20, 21)), axis=-1),
    ),
    "pairwise overlap": Case(
        term=PairwiseOverlap(margin=1.5),
        tensors={"y_pred": _normal(3, 4, 2)},
        oracle=lambda y_pred: np.stack([np.maximum(0, 1.5 - pdist(points)) for points in y_pred]),
        mask_shape=(3, 4),
        value_mask=_both_points,
    ),
    "pairwise overlap in space": Case(
        term=PairwiseOverlap(margin=2.0),
        tensors={"y_pred": _normal(2, 3, 3)},
        oracle=lambda y_pred: np.stack([np.maximum(0, 2 - pdist(points)) for points in y_pred]),
        mask_shape=(2, 3),
        value_mask=_both_points,
    ),
    "total variation": Case(
        term=TotalVariation(),
        tensors={"y_pred": _normal(3, 3, 4)},
        oracle=functools.partial(_total_variation, spatial_axes=2),
    ),
    "total variation of channels, summed": Case(
        term=TotalVariation(reduction="sum"),
        tensors={"y_pred": _normal(3, 3, 4, 2)},
        oracle=functools.partial(_total_variation, spatial_axes=2, reduce=np.sum),
    ),
    "total variation along a line": Case(
        term=TotalVariation(spatial_axes=1),
        tensors={"y_pred": _normal(3, 4, 2)},
        oracle=functools.partial(_total_variation, spatial_axes=1),
    ),
    "total variation of volumes with an axis of 1": Case(
        term=TotalVariation(spatial_axes=3),
        tensors={"y_pred": _normal(2, 3, 1, 2)},
        oracle=functools.partial(_total_variation, spatial_axes=3),
    ),
    "sequence ordering": Case(
        term=SequenceOrdering(),
        tensors={"y_pred": _normal(3, 5)},
        oracle=lambda y_pred: np.maximum(0, -np.diff(y_pred, axis=1)),
        mask_shape=(3, 5),
        value_mask=_both_ends,
    ),
    "sequence ordering of features, by a margin": Case(
        term=SequenceOrdering(margin=0.25),
        tensors={"y_pred": _normal(3, 4, 2)},
        oracle=lambda y_pred: np.maximum(0, 0.25 - np.diff(y_pred, axis=1)),
        mask_shape=(3, 4),
        value_mask=_both_ends,
    ),
    "activations, l1": Case(
        term=ActivationPenalty(activation="activations.encoder/conv3"),
        tensors={"activation": _normal(3, 2, 2)},
        oracle=lambda activation: np.abs(activation),
    ),
    "activations, l2, summed": Case(
        term=ActivationPenalty(activation="activations.encoder/conv3", norm="l2", reduction="sum"),
        tensors={"activation": _normal(3, 2, 2)},
        oracle=lambda activation: np.sum(activation**2, axis=(1, 2)),
    ),
    "function": Case(
        term=FunctionTerm(fn=lambda y_true, y_pred: tf.exp(y_pred) - y_true * y_pred),
        tensors=_pairs(_normal(3, 4), _normal(3, 4, seed=1)),
        oracle=lambda y_true, y_pred: np.exp(y_pred) - y_true * y_pred,
    ),
    "keras loss": Case(
        term=KerasLoss(loss=keras.losses.CategoricalCrossentropy(from_logits=True, dtype="float64")),
        tensors=_pairs(np.eye(4, dtype=np.float32)[_labels(3, 2, classes=4)], _normal(3, 2, 4)),
        oracle=lambda y_true, y_pred: -np.sum(y_true * log_softmax(y_pred, axis=-1), axis=-1),
    ),
}

# Terms whose value is one number for all they read: there is nothing an example to mask or to merge.
WHOLE = {
    "weight decay": Case(
        term=WeightDecay(),
        tensors={"variables": _normal(3, 4)},
        oracle=lambda variables: keras.regularizers.L2(1.0)(variables).numpy(),
    ),
    "orthogonality": Case(
        term=Orthogonality(variable="weights.head/kernel"),
        tensors={"variable": _normal(3, 4)},
        oracle=_orthogonality,
    ),
    "decorrelation": Case(
        term=Decorrelation(features="activations.encoder/conv3"),
        tensors={"features": _normal(5, 3)},
        oracle=_decorrelation,
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kink:
    """A term where its formula has a kink, a zero or a tie, and the gradient of its mean there, by the last read."""

    term: Term
    tensors: dict[str, np.ndarray]
    gradient: np.ndarray

    @property
    def by(self) -> str:
        return list(self.tensors)[-1]


def _at(*numbers):
    return np.array(numbers, np.float32)


EQUAL = _pairs(_at([2.0, 0.0]), _at([2.0, 0.0]))

KINKS = {
    "equal to the target": Kink(term=MeanSquaredError(), tensors=EQUAL, gradient=_at([0, 0])),
    "equal to the target, at a weight of 0": Kink(
        term=WeightedMeanSquaredError(position_weights=(0.0, 1.0)), tensors=EQUAL, gradient=_at([0, 0])
    ),
    "a context of 0": Kink(
        term=ContextualMeanSquaredError(context="inputs", floor=0.5),
        tensors={"context": _at([0.0, 0.0]), **_pairs(_at([0.0, 1.0]), _at([0.0, 0.0]))},
        gradient=_at([0, -0.5]),
    ),
    "logits of 0 and of any size": Kink(
        term=WeightedBinaryCrossEntropy(),
        tensors=_pairs(_at([1, 0, 0.5, 1, 0, 1, 0, 0.25]), _at([0, 0, 0, 1e4, 1e4, -1e4, -1e4, 3e38])),
        gradient=_at([-5, 0.5, 0.25 - 2.5, 0, 1, -10, 0, 0.75]) / 8,
    ),
    "half-precision logits of 0": Kink(
        term=WeightedBinaryCrossEntropy(positive_weight=1.0),
        tensors=_pairs(_at(1, 0, 1, 0), np.float16([0, 0, -1e4, -1e4])),
        gradient=_at(-0.5, 0.5, -1, 0) / 4,
    ),
    "equal logits, of which the first is the predicted class": Kink(
        term=ConfusionWeightedCrossEntropy(costs=((0.0, 7.0), (3.0, 0.0))),
        tensors=_pairs(np.int32([0, 1]), np.zeros([2, 2], np.float32)),
        gradient=_at([-0.5, 0.5], [0.5 * 4, -0.5 * 4]) / 2,
    ),
    "equal logits": Kink(
        term=ExpectedConfusionCost(costs=((0.0, 4.0), (2.0, 0.0))),
        tensors=_pairs(np.int32([0, 1]), np.zeros([2, 2], np.float32)),
        gradient=_at([-1, 1], [0.5, -0.5]) / 2,
    ),
    "on the bounds of a range": Kink(
        term=RangeHinge(), tensors={"y_pred": _at([-1.0, 1.0, 0.0])}, gradient=_at([0, 0, 0])
    ),
    "a range of one point": Kink(
        term=RangeHinge(min_value=0.0, max_value=0.0), tensors={"y_pred": _at([0.0, 1.0])}, gradient=_at([0, 0.5])
    ),
    "on the grid, and halfway between its points": Kink(
        term=Quantization(), tensors={"y_pred": _at([0.0, 0.5, 1.5, -0.5])}, gradient=_at([0, 0.25, -0.25, -0.25])
    ),
    "coincident, nearly coincident and distant points": Kink(
        term=PairwiseOverlap(),
        tensors={"y_pred": _at([[0, 0], [0, 0], [2e-13, 0]], [[0, 0], [1e25, 0], [0, 1e25]], [[0, 0], [1, 0], [2, 0]])},
        gradient=np.zeros([3, 3, 2], np.float32),
    ),
    "a flat image": Kink(
        term=TotalVariation(), tensors={"y_pred": _at([[0, 0], [0, 0]])}, gradient=_at([[0, 0], [0, 0]])
    ),
    "a constant sequence": Kink(term=SequenceOrdering(), tensors={"y_pred": _at([3, 3, 3])}, gradient=_at([0, 0, 0])),
    "a sequence that rises by the margin": Kink(
        term=SequenceOrdering(margin=0.5), tensors={"y_pred": _at([0, 0.5, 1])}, gradient=_at([0, 0, 0])
    ),
    "dead activations, l1": Kink(
        term=ActivationPenalty(activation="activations.h"),
        tensors={"activation": _at([0.0, -2.0])},
        gradient=_at([0, -0.5]),
    ),
    "dead activations, l2": Kink(
        term=ActivationPenalty(activation="activations.h", norm="l2"),
        tensors={"activation": _at([0.0, 0.0])},
        gradient=_at([0, 0]),
    ),
    "a function that has its own kink": Kink(
        term=FunctionTerm(fn=lambda y_true, y_pred: tf.abs(y_pred - y_true)), tensors=EQUAL, gradient=_at([0, 0])
    ),
    "a keras loss at logits of 0": Kink(
        term=KerasLoss(loss=keras.losses.BinaryCrossentropy(from_logits=True)),
        tensors=_pairs(_at([0.0, 1.0]), _at([0.0, 0.0])),
        gradient=_at([0.25, -0.25]),
    ),
    "a keras loss at its own kink": Kink(
        term=KerasLoss(loss=keras.losses.MeanAbsoluteError()), tensors=EQUAL, gradient=_at([0, 0])
    ),
    "weights of 0": Kink(term=WeightDecay(), tensors={"variables": _at([0, 0])}, gradient=_at([0, 0])),
    "columns of 0": Kink(
        term=Orthogonality(variable="weights.kernel"),
        tensors={"variable": np.zeros([3, 2], np.float32)},
        gradient=np.zeros([3, 2], np.float32),
    ),
    "orthogonal columns": Kink(
        term=Orthogonality(variable="weights.kernel"),
        tensors={"variable": np.eye(3, dtype=np.float32)},
        gradient=np.zeros([3, 3], np.float32),
    ),
    "constant features": Kink(
        term=Decorrelation(features="activations.h"),
        tensors={"features": np.ones([3, 2], np.float32)},
        gradient=np.zeros([3, 2], np.float32),
    ),
}


@pytest.fixture(scope="session")
def kinks():
    return KINKS


@pytest.fixture(params=KINKS.values(), ids=KINKS.keys())
def kink(request):
    """A term at a kink, a zero or a tie."""
    return request.param


@pytest.fixture(scope="session")
def cases():
    return {**CASES, **WHOLE}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request):
    """A term that has a value an element or an example."""
    return request.param


@pytest.fixture(params=WHOLE.values(), ids=WHOLE.keys())
def whole_case(request):
    """A term that has one value for all it reads."""
    return request.param


MODES = {"eager": lambda fn: fn, "graph": tf.function, "xla": functools.partial(tf.function, jit_compile=True)}


@pytest.fixture(
    params=[
        MODES["eager"],
        MODES["graph"],
        pytest.param(MODES["xla"], marks=pytest.mark.slow),  # It takes a quarter of a second to compile each.
    ],
    ids=MODES.keys(),
)
def compile_as(request):
    """The three ways a function is run: as it is, as a graph, as one XLA program."""
    return request.param


@pytest.fixture(scope="session")
def context_of():
    """Makes the context in which a term finds tensors given by the names of its reads; of one key, the first."""

    def make(term: Term, tensors, **roots) -> Context:
        for name, key in term.reads.items():
            root, _, path = key.partition(".")
            roots[root] = {path: tensors[name], **roots.get(root, {})} if path else roots.get(root, tensors[name])
        return Context(**roots)

    return make


@pytest.fixture(scope="session")
def kept():
    """What was compiled so far, with the term it was compiled of."""
    return {}


@pytest.fixture
def differentiate(compile_as, context_of, kept):
    """Compiles a term into a function of arrays that returns its mean and the mean's gradient by one read."""

    def compiled(term: Term, by: str):
        @compile_as
        def run(tensors, roots):
            with tf.GradientTape() as tape:
                tape.watch(tensors[by])
                mean = term.mean(context_of(term, tensors, **roots)).result()
            return mean, tape.gradient(mean, tensors[by])

        return term, run

    def make(term: Term, by: str = "y_pred"):
        at = (compile_as, id(term), by)
        if at not in kept:
            kept[at] = compiled(term, by)
        _, run = kept[at]

        def from_arrays(tensors, **roots):
            mean, gradient = run(*tf.nest.map_structure(tf.constant, (tensors, roots)))
            return mean.numpy(), gradient.numpy()

        return from_arrays

    return make


@pytest.fixture
def on_guard():
    """Makes a function that takes something where indices are guarded, and tells whether integers were taken."""

    def make(take, compiled, signature=None):
        @tf.function(jit_compile=compiled, autograph=False, input_signature=signature)
        def run(*arguments):
            with guarded("the term 'cost'") as flags:
                found = take(*arguments)
            return found, poison(flags)

        return run

    return make
