"""Labels and masks in arrays: what is out of range is named by its examples before anything is trained."""

import keras
import numpy as np
import pytest

import trainer.settings.labels
from objectives import ConfigurationError, ExpectedConfusionCost, FunctionTerm, KerasLoss, MeanSquaredError, Objective
from trainer import ArraySource
from trainer.settings.labels import refuse_outside_labels

FREE = ((0.0,) * 3,) * 3
INPUTS = np.zeros([6, 2], np.float32)
LABELS = np.array([0, 1, 2, 255, 1, -1])
COUNTS = np.float32([1, 1, 1, 0, 1, 0])


def objective(**term):
    return Objective(cost=ExpectedConfusionCost(costs=FREE, y_true="targets.y", **term))


def check(objective, **targets):
    refuse_outside_labels(objective, ArraySource(INPUTS, targets), "training data")


@pytest.mark.parametrize("elements", [2**24, 2])
def test_labels_out_of_range_are_named_by_their_first_examples(monkeypatch, elements):
    monkeypatch.setattr(trainer.settings.labels, "_ELEMENTS", elements)
    with pytest.raises(ConfigurationError) as error:
        check(objective(), y=LABELS)
    found = {2**24: "found -1, 255 in examples 3, 5", 2: "found 255 in example 3"}[elements]
    assert str(error.value) == (
        f"the training data: the labels 'targets.y' of the term 'cost': {found}; "
        f"expected whole numbers from 0 to 2 (3 classes), or a mask that hides them"
    )


def test_labels_of_maps_are_looked_through():
    maps = np.zeros([6, 2, 2], np.uint8)
    maps[4, 1, 0] = 3
    with pytest.raises(ConfigurationError, match="found 3 in example 4"):
        check(objective(), y=maps)


@pytest.mark.parametrize("mask", [COUNTS, COUNTS.astype(bool), COUNTS.astype(np.uint8)])
def test_a_masked_label_may_be_anything(mask):
    check(objective(mask="targets.mask"), y=LABELS, mask=mask)
    labels = np.where(mask != 0, 9, 0)
    with pytest.raises(ConfigurationError, match="found 9 in examples 0, 1, 2, 4"):
        check(objective(mask="targets.mask"), y=labels, mask=mask)


@pytest.mark.parametrize("mask", ["outputs.mask", "activations.gate", "targets.mask"])
def test_what_a_mask_hides_that_is_not_known_beforehand_is_left_to_the_step(mask):
    check(objective(mask=mask), y=LABELS)


@pytest.mark.parametrize("value", [-1.0, 2.0, np.nan])
def test_a_mask_outside_of_0_to_1_is_named(value):
    mask = np.where(np.arange(6) == 2, value, COUNTS).astype(np.float32)
    with pytest.raises(ConfigurationError, match="the mask 'targets.mask' of the term 'data': found .* in example 2"):
        check(Objective(data=MeanSquaredError(y_true="targets.y", mask="targets.mask")), y=INPUTS, mask=mask)


SPARSE = keras.losses.SparseCategoricalCrossentropy
OUTPUTS = {"cut": keras.KerasTensor([None, 3]), "odd": keras.KerasTensor([None, None])}


def check_outputs(term, labels):
    objective = Objective(data=term)
    refuse_outside_labels(objective, ArraySource(INPUTS, {"y": labels}), "training data", OUTPUTS)


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None].astype(np.int16), LABELS.astype(np.float32)])
@pytest.mark.parametrize(
    "term",
    [
        KerasLoss(loss=SPARSE(), y_true="targets.y", y_pred="outputs.cut"),
        FunctionTerm(
            fn=keras.losses.sparse_categorical_crossentropy, keys_of={"y_true": "targets.y", "y_pred": "outputs.cut"}
        ),
    ],
)
def test_a_loss_of_keras_has_as_many_classes_as_the_outputs_that_it_reads(term, labels):
    with pytest.raises(ConfigurationError, match="found -1, 255 in examples 3, 5; expected whole numbers from 0 to 2"):
        check_outputs(term, labels)


def test_a_label_that_a_loss_of_keras_ignores_is_valid_and_half_a_class_is_not():
    loss = SPARSE(ignore_class=255)
    term = KerasLoss(loss=loss, y_true="targets.y", y_pred="outputs.cut")
    with pytest.raises(ConfigurationError, match="found -1 in example 5"):
        check_outputs(term, LABELS)
    with pytest.raises(ConfigurationError, match="found 0.5 in example 0"):
        check_outputs(term, np.float32([0.5, 1, 2, 255, 0, 0]))


@pytest.mark.parametrize(
    "term",
    [
        KerasLoss(loss=SPARSE(), y_true="targets.y", y_pred="outputs.odd"),
        KerasLoss(loss=SPARSE(), y_true="targets.y", y_pred="activations.head"),
        KerasLoss(loss=keras.losses.MeanSquaredError(), y_true="targets.y", y_pred="outputs.cut"),
    ],
)
def test_where_no_number_of_classes_is_known_the_step_looks(term):
    check_outputs(term, LABELS)


def test_a_trainer_looks_through_both_sources(make_trainer, plain_source):
    with pytest.raises(ConfigurationError, match="the evaluation data: the labels .* found 255"):
        make_trainer(objective=objective(), eval=ArraySource(INPUTS, {"y": LABELS.clip(0)}))
