"""A subject: variations of its tensors, what of them comes from the model, and forms of its term."""

import numpy as np
import pytest

from objectives import FunctionTerm, MeanSquaredError, Orthogonality
from objectives.testing.subject import FACTOR, MASK


@pytest.fixture
def subject(subject_of):
    term = MeanSquaredError(y_pred="outputs.size", mask="inputs.mask", sample_weight="sample_weight")
    tensors = {"y_true": [[1.0], [2.0]], "y_pred": [[3.0], [2.0]]}
    return subject_of(term, tensors, ranges={"y_pred": (0.0, 2.5)})


def test_forms_of_the_term(subject):
    assert subject.plain == MeanSquaredError(y_pred="outputs.size")
    assert (subject.masked.mask, subject.masked.sample_weight) == (MASK, None)
    assert (subject.weighted.mask, subject.weighted.sample_weight) == (None, FACTOR)


def test_what_comes_from_the_model(subject, subject_of):
    assert subject.by == ["outputs.size"]
    assert subject.described == "y_true (2, 1), y_pred (2, 1)"
    assert subject_of(Orthogonality(variable="weights.head/kernel")).by == ["weights.head/kernel"]
    passes = FunctionTerm(fn=lambda model, inputs: model(inputs))
    assert subject_of(passes, {"model": lambda inputs: inputs}).by == ["inputs"]


def test_variations_stay_in_range_and_rows_are_those_of_the_batch(subject, subject_of):
    np.testing.assert_array_equal(subject.floats(lambda key, array: 2 * array)["outputs.size"], [[2.5], [2.5]])
    np.testing.assert_array_equal(subject.floats(lambda key, array: 2 * array)["targets"], [[2], [4]])
    assert subject.rows([1, 1, 0])["targets"].ravel().tolist() == [2, 2, 1]
    weights = subject_of(Orthogonality(variable="weights.head/kernel"))
    assert weights.rows(np.s_[:0])["weights.head/kernel"].shape == (4, 3)


def test_value_and_gradient(subject):
    value, gradients = subject.differentiate(subject.tensors)
    assert value == 2
    np.testing.assert_array_equal(gradients["outputs.size"], [[2], [0]])
    np.testing.assert_array_equal(subject.each(subject.tensors), [[4], [0]])
