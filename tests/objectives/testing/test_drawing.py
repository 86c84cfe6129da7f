"""Drawing: shapes that a formula takes, class labels, numbers in the range that it wants; one key is one tensor."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import (
    ConfigurationError,
    ConfusionWeightedCrossEntropy,
    ContextualMeanSquaredError,
    FunctionTerm,
    KerasLoss,
    MeanSquaredError,
    PairwiseOverlap,
    WeightDecay,
    WeightedBinaryCrossEntropy,
)
from objectives.testing.drawing import LAYOUTS, drawn

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def shapes_of(term, given=None, shapes=None):
    tensors, _ = drawn(term, given or {}, shapes or {}, {})
    return {name: tensor.shape for name, tensor in tensors.items()}


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
    tensors, _ = drawn(KerasLoss(loss=SPARSE), {}, {}, {})
    assert tensors["y_true"].dtype == np.int32
    assert set(tensors["y_true"]) <= {0, 1, 2, 3}


def test_numbers_are_in_the_range_that_the_term_wants_and_the_range_is_known():
    tensors, ranges = drawn(WeightedBinaryCrossEntropy(), {}, {}, {})
    assert ranges == {"y_true": (0.0, 1.0)}
    assert 0 < tensors["y_true"].min() < tensors["y_true"].max() < 1
    _, ranges = drawn(KerasLoss(loss="categorical_crossentropy"), {}, {}, {})
    assert ranges == {"y_pred": (0.0, np.inf)}


@pytest.mark.parametrize(
    ("range_", "inside"), [((2.0, 3.0), (2, 3)), ((2.0, np.inf), (2, 9)), ((-np.inf, 2.0), (-9, 2))]
)
def test_a_range_may_be_said(range_, inside):
    tensors, ranges = drawn(PairwiseOverlap(), {}, {}, {"y_pred": range_})
    assert ranges == {"y_pred": range_}
    assert inside[0] < tensors["y_pred"].min() < tensors["y_pred"].max() < inside[1]


def test_numbers_of_which_a_formula_makes_nothing_finite_are_replaced_by_fractions():
    tensors, ranges = drawn(FunctionTerm(fn=lambda y_pred: tf.math.log(y_pred)), {}, {}, {})
    assert 0 < tensors["y_pred"].min() < tensors["y_pred"].max() < 1
    assert ranges == {}


def test_one_key_is_one_tensor():
    tensors, _ = drawn(ContextualMeanSquaredError(), {}, {}, {})
    assert tensors["context"] is tensors["y_true"]
    assert not np.array_equal(tensors["y_pred"], tensors["y_true"])


def test_what_has_no_batch_is_drawn_as_it_is():
    term = FunctionTerm(fn=lambda y_pred, step, sample_weight: y_pred)
    tensors, _ = drawn(term, {}, {}, {})
    assert (tensors["step"].shape, tensors["sample_weight"].shape) == ((), (5,))
    assert tensors["sample_weight"].min() > 0


def test_the_model_is_not_drawn():
    with pytest.raises(ConfigurationError, match=r"in Python pass .*: check_term\(term, \{'model': lambda inputs: "):
        drawn(FunctionTerm(fn=lambda model, inputs: model(inputs)), {}, {}, {})


def test_no_axes_of_a_layout_are_alike():
    assert all(len({*layout}) == len(layout) for layout in LAYOUTS)
