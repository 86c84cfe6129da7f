"""Material: what is given by the names of reads or by keys, and what cannot be given."""

import numpy as np
import pytest

from objectives import ConfigurationError, ContextualMeanSquaredError, FunctionTerm, MeanSquaredError
from objectives.testing.material import kink, material
from objectives.testing.stand_in import StandIn

Y = np.array([[1.0], [2.0], [3.0]])


@pytest.mark.parametrize("names", [("y_true", "y_pred"), ("targets", "outputs.size")])
def test_tensors_are_given_by_the_names_of_reads_or_by_keys(names):
    found = material(MeanSquaredError(y_pred="outputs.size"), dict.fromkeys(names, Y), {}, {})["tensors"]
    assert [*found] == ["targets", "outputs.size"]
    assert found["targets"].dtype == np.float32
    np.testing.assert_array_equal(found["outputs.size"], Y)


def test_what_is_not_given_is_drawn():
    found = material(MeanSquaredError(), {"y_pred": np.ones([5, 4])}, {}, {"outputs": (0.0, 2.0)})
    assert found["tensors"]["targets"].shape == (5, 4)
    assert found["ranges"] == {"outputs": (0.0, 2.0)}


def test_a_function_stands_in_for_the_model():
    found = material(FunctionTerm(fn=lambda model, inputs: model(inputs)), {"model": np.tanh}, {}, {})
    assert found["functions"] == {"model": StandIn(np.tanh)}
    assert [*found["tensors"]] == ["inputs"]


def test_the_mask_of_the_term_is_not_read():
    assert [*material(MeanSquaredError(mask="inputs.mask"), {}, {}, {})["tensors"]] == ["targets", "outputs"]


@pytest.mark.parametrize(
    ("tensors", "answer"),
    [
        ({"y_perd": Y}, "reads no 'y_perd'; did you mean 'y_pred'?"),
        ({"y_true": Y[:1], "y_pred": Y[:1], "context": Y[:1]}, "'targets' has 1 example; expected 2 or more"),
        ({"y_true": Y, "y_pred": Y, "context": 2 * Y}, "context is read by 'targets' as another read is"),
    ],
)
def test_what_cannot_be_given_is_told(tensors, answer):
    with pytest.raises(ConfigurationError) as error:
        material(ContextualMeanSquaredError(), tensors, {}, {})
    assert answer in str(error.value)


def test_the_gradient_at_a_kink_is_by_the_last_tensor_or_by_names():
    term = MeanSquaredError()
    for gradient in (Y, {"y_pred": Y}, {"outputs": Y}):
        tensors, found = kink(term, {"y_true": Y, "y_pred": Y}, gradient)
        assert [*tensors] == ["targets", "outputs"]
        assert [*found] == ["outputs"]
