"""What holds for every bundled term, over the table of cases: every check of terms, and masks as an oracle has them."""

import inspect

import numpy as np
import pytest

import objectives
from objectives import BaseTerm
from objectives.testing import check_term
from tests.objectives import contexts


@pytest.fixture
def roots(case):
    """A mask an element, sample weights and padding for the case's masked term, and what it reads as a function."""
    shape = case.mask_shape or case.values().shape
    return {
        "weights": {"mask": np.float32(np.arange(np.prod(shape)) % 3 != 1).reshape(shape)},
        "sample_weight": np.linspace(0.5, 2, shape[0], dtype=np.float32),
        "valid": np.float32(np.arange(shape[0]) < shape[0] - 1),
        **case.functions,
    }


def counted(case, roots):
    """How far each value counts."""
    mask = case.value_mask(roots["weights"]["mask"])
    return mask * roots["valid"].reshape(-1, *(1,) * (mask.ndim - 1))


def exported():
    """The classes of terms that can be made; those that only serve as a base cannot."""
    classes = [thing for thing in vars(objectives).values() if isinstance(thing, type)]
    return {one for one in classes if issubclass(one, BaseTerm) and not inspect.isabstract(one)}


def test_every_exported_term_has_a_case(cases):
    assert {type(case.term) for case in cases.values()} == exported()


def test_every_exported_term_has_a_case_at_a_kink(kinks):
    assert {type(kink.term) for kink in kinks.values()} == exported()


@pytest.mark.slow
def test_every_check_of_terms_passes(any_case):
    check_term(
        any_case.term,
        {**any_case.functions, **any_case.tensors},
        reference=lambda **tensors: np.mean(any_case.oracle(**tensors)),
        except_for={"cost": "it is a measurement, which nothing fails"},
    )


def test_at_a_kink_a_zero_or_a_tie_the_gradient_is_the_one_that_the_term_states(kink):
    _, gradient = contexts.differentiated(kink.term, kink.by, contexts.MODES["eager"])(kink.tensors, **kink.functions)
    np.testing.assert_allclose(gradient, kink.gradient, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_so_it_is_in_a_graph_and_under_xla(kink):
    check_term(kink.term, kink.functions, only=["kinks"], kinks=[(kink.tensors, kink.gradient)])


@pytest.mark.parametrize("mode", ["eager", "graph"])
def test_a_mask_an_element_with_padding_and_sample_weights_is_the_oracles(case, mode, roots):
    """What is masked is the same under XLA, by the check of it."""
    value, _ = contexts.differentiated(case.masked, case.by, contexts.MODES[mode])(case.tensors, **roots)
    np.testing.assert_allclose(value, case.mean(counted(case, roots), roots["sample_weight"]), rtol=1e-6)


def test_the_gradient_is_that_of_finite_differences(case, roots):
    """Eagerly: graphs and programs of XLA have the gradients of eager execution, by the check of each."""
    if "gradient" in case.term.except_for:
        pytest.skip(case.term.except_for["gradient"])
    eagerly = contexts.differentiated(case.masked, case.by, contexts.MODES["eager"])
    _, gradient = eagerly(case.in_float64, **roots)
    expected = case.gradient(counted(case, roots), roots["sample_weight"])
    assert np.any(expected)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-9)


def test_a_call_in_a_notebook_is_the_mean(case):
    np.testing.assert_allclose(case.term(**case.functions, **case.tensors), case.mean(), rtol=1e-6)
