"""Drawing: shapes that a formula takes, class labels, numbers in the range that it wants; one key is one tensor."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import (
    CTC,
    CategoricalCrossentropy,
    ConfusionWeightedCrossEntropy,
    ContextualMeanSquaredError,
    Contrastive,
    FunctionTerm,
    KerasLoss,
    KLDivergence,
    MeanSquaredError,
    PairwiseOverlap,
    QuantileLoss,
    WeightDecay,
    WeightedBinaryCrossEntropy,
)
from objectives.testing.drawing import drawn

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def of_labels(y_true, y_pred):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(y_true, y_pred)


def shapes_of(term, given=None, shapes=None):
    drawing = drawn(term, given or {}, shapes or {}, {})
    assert drawing.fits
    return {name: tensor.shape for name, tensor in drawing.tensors.items()}


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (MeanSquaredError(), {"y_true": (5, 4), "y_pred": (5, 4)}),
        (PairwiseOverlap(), {"y_pred": (5, 4, 3)}),
        (ConfusionWeightedCrossEntropy(costs=((0.0, 1.0), (1.0, 0.0))), {"y_true": (5,), "y_pred": (5, 2)}),
        (KerasLoss(loss=SPARSE), {"y_true": (5,), "y_pred": (5, 4)}),
        (WeightDecay(), {"variables": (4, 3)}),
    ],
)
def test_shapes_are_those_that_the_formula_takes(term, expected):
    assert shapes_of(term) == expected


def test_shapes_may_be_said():
    said = {"y_pred": (7, 2, 2), "y_true": (7, 2, 2)}
    assert shapes_of(MeanSquaredError(), shapes=said) == said
    labels = ConfusionWeightedCrossEntropy(costs=((0.0, 1.0), (1.0, 0.0)))
    assert shapes_of(labels, shapes={"y_pred": (6, 3, 2)}) == {"y_true": (6, 3), "y_pred": (6, 3, 2)}
    assert shapes_of(labels, {"y_pred": np.zeros([4, 2], np.float32)})["y_true"] == (4,)


def test_labels_are_classes():
    tensors = drawn(KerasLoss(loss=SPARSE), {}, {}, {}).tensors
    assert tensors["y_true"].dtype == np.int32
    assert set(tensors["y_true"]) <= {0, 1, 2, 3}


def test_numbers_are_in_the_range_that_the_term_wants_and_the_range_is_known():
    drawing = drawn(WeightedBinaryCrossEntropy(), {}, {}, {})
    assert drawing.ranges == {"y_true": (0.0, 1.0)}
    assert 0 < drawing.tensors["y_true"].min() < drawing.tensors["y_true"].max() < 1
    assert drawn(KerasLoss(loss="categorical_crossentropy"), {}, {}, {}).ranges == {"y_pred": (0.0, np.inf)}


@pytest.mark.parametrize(
    ("range_", "inside"), [((2.0, 3.0), (2, 3)), ((2.0, np.inf), (2, 9)), ((-np.inf, 2.0), (-9, 2))]
)
def test_a_range_may_be_said(range_, inside):
    drawing = drawn(PairwiseOverlap(), {}, {}, {"y_pred": range_})
    assert drawing.ranges == {"y_pred": range_}
    assert inside[0] < drawing.tensors["y_pred"].min() < drawing.tensors["y_pred"].max() < inside[1]


def test_numbers_of_which_a_formula_makes_nothing_finite_are_replaced_by_fractions():
    drawing = drawn(FunctionTerm(fn=lambda y_pred: tf.math.log(y_pred)), {}, {}, {})
    assert 0 < drawing.tensors["y_pred"].min() < drawing.tensors["y_pred"].max() < 1
    assert (drawing.ranges, drawing.kinds) == ({}, {"y_pred": "fractions"})


@pytest.mark.parametrize(
    ("term", "shapes", "kind"),
    [
        (CategoricalCrossentropy(), {"y_true": (5, 4), "y_pred": (5, 4)}, "distributions over the last axis"),
        (KLDivergence(), {"y_true": (5, 4), "y_pred": (5, 4)}, "distributions over the last axis"),
        (QuantileLoss(), {"y_true": (5, 4), "y_pred": (5, 4, 3)}, "numbers"),
        (Contrastive(), {"y_true": (5,), "first": (5, 4), "second": (5, 4)}, "decisions, 0 or 1"),
        (CTC(), {"y_true": (5, 2), "y_pred": (5, 4, 3)}, "sequences of labels above 0"),
        (FunctionTerm(fn=of_labels), {"y_true": (5,), "y_pred": (5, 4)}, "labels"),
    ],
)
def test_data_are_of_the_kind_that_the_formula_takes(term, shapes, kind):
    assert shapes_of(term) == shapes
    assert drawn(term, {}, {}, {}).kinds == {"y_true": kind}


def test_what_is_drawn_is_as_large_as_what_is_given():
    assert shapes_of(MeanSquaredError(), {"y_pred": np.ones([3, 7], np.float32)})["y_true"] == (3, 7)
    assert shapes_of(QuantileLoss(), shapes={"y_pred": (6, 3)}) == {"y_true": (6,), "y_pred": (6, 3)}


LAST_STEP = FunctionTerm(fn=lambda y_true, y_pred: (y_pred[..., -1] - y_true) ** 2)
NORMALISED = FunctionTerm(fn=lambda y_true, y_pred: y_pred[..., 0] - tf.math.reduce_logsumexp(y_pred, axis=-1) * y_true)
OF_ROWS = FunctionTerm(fn=lambda y_true, y_pred: y_pred - tf.roll(y_pred, 1, axis=0) * y_true)
SHARE = FunctionTerm(fn=lambda y_true, y_pred: tf.reduce_sum(y_pred**2, -1) - y_true / tf.reduce_max(y_true, axis=0))


@pytest.mark.parametrize("term", [LAST_STEP, NORMALISED], ids=["last_step", "normalised"])
def test_shapes_in_which_the_batch_is_taken_for_another_axis_are_passed_over(term):
    assert shapes_of(term) == {"y_true": (5,), "y_pred": (5, 4)}


def test_a_formula_that_mixes_examples_in_all_shapes_is_drawn_as_any():
    assert shapes_of(OF_ROWS) == shapes_of(MeanSquaredError())


def test_numbers_of_a_kind_that_hides_that_examples_mix_are_no_better():
    # For lengths, which are all equal, the largest one is that of each example.
    assert drawn(SHARE, {}, {}, {}).kinds != {"y_true": "lengths"}


def test_a_formula_that_takes_nothing_has_no_drawing_that_fits():
    assert not drawn(FunctionTerm(fn=lambda y_pred: tf.reshape(y_pred, [-1, 7])), {}, {}, {}).fits


def test_one_key_is_one_tensor():
    tensors = drawn(ContextualMeanSquaredError(), {}, {}, {}).tensors
    assert tensors["context"] is tensors["y_true"]
    assert not np.array_equal(tensors["y_pred"], tensors["y_true"])


def test_what_has_no_batch_is_drawn_as_it_is():
    term = FunctionTerm(fn=lambda y_pred, step, sample_weight: y_pred)
    tensors = drawn(term, {}, {}, {}).tensors
    assert (tensors["step"].shape, tensors["sample_weight"].shape) == ((), (5,))
    assert tensors["sample_weight"].min() > 0
