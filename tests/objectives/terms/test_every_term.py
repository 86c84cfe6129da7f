"""What holds for every bundled term, over the table of cases: value, gradient, masks, shards."""

import inspect

import numpy as np
import pytest

import objectives
from objectives import BaseTerm, Mean


@pytest.fixture
def roots(case):
    """A mask an element, sample weights and padding for the case's masked term."""
    shape = case.mask_shape or case.values().shape
    return {
        "weights": {"mask": np.float32(np.arange(np.prod(shape)) % 3 != 1).reshape(shape)},
        "sample_weight": np.linspace(0.5, 2, shape[0], dtype=np.float32),
        "valid": np.float32(np.arange(shape[0]) < shape[0] - 1),
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


def test_at_a_kink_a_zero_or_a_tie_the_gradient_is_the_one_that_the_term_states(kink, differentiate):
    value, gradient = differentiate(kink.term, kink.by)(kink.tensors)
    assert np.isfinite(value)
    np.testing.assert_allclose(gradient, kink.gradient, rtol=1e-6)


def test_the_value_is_the_oracles(case, differentiate):
    value, _ = differentiate(case.term, case.by)(case.tensors)
    np.testing.assert_allclose(value, case.mean(), rtol=1e-6)


def test_a_factor_an_example_is_the_oracles(case, differentiate):
    ones = np.ones(len(case.tensors[case.by]), np.float32)
    evaluate = differentiate(case.masked, case.by)
    for role in ("mask", "sample_weight", "valid"):
        factors = {"mask": ones, "sample_weight": ones, "valid": ones, role: np.float32(np.arange(len(ones)) % 2)}
        value, _ = evaluate(
            case.tensors,
            weights={"mask": factors["mask"]},
            sample_weight=factors["sample_weight"],
            valid=factors["valid"],
        )
        expected = case.mean(mask=factors["mask"] * factors["valid"], factor=factors["sample_weight"])
        np.testing.assert_allclose(value, expected, rtol=1e-6, err_msg=role)


def test_a_mask_an_element_with_padding_and_sample_weights_is_the_oracles(case, differentiate, roots):
    value, _ = differentiate(case.masked, case.by)(case.tensors, **roots)
    np.testing.assert_allclose(value, case.mean(counted(case, roots), roots["sample_weight"]), rtol=1e-6)


def test_the_gradient_is_that_of_finite_differences(case, differentiate, roots):
    _, gradient = differentiate(case.masked, case.by)(case.in_float64, **roots)
    expected = case.gradient(counted(case, roots), roots["sample_weight"])
    assert np.any(expected)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-9)


def test_a_batch_that_is_masked_whole_has_value_0_and_gradient_0(case, differentiate, roots):
    value, gradient = differentiate(case.masked, case.by)(case.tensors, **{**roots, "valid": 0 * roots["valid"]})
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_a_masked_nan_reaches_neither_the_value_nor_the_gradient(case, differentiate, roots):
    expected = case.mean(counted(case, roots), roots["sample_weight"])
    with_nan = case.tensors[case.by].copy()
    with_nan[-1] = roots["sample_weight"][-1] = np.nan
    value, gradient = differentiate(case.masked, case.by)({**case.tensors, case.by: with_nan}, **roots)
    assert np.isfinite(gradient).all()
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_the_mean_of_an_empty_batch_is_0_and_its_gradient_empty(case, differentiate):
    value, gradient = differentiate(case.term, case.by)({name: a[:0] for name, a in case.tensors.items()})
    assert value == 0
    assert gradient.shape == (0, *case.tensors[case.by].shape[1:])


def test_the_one_value_of_a_whole_is_the_oracles(whole_case, differentiate):
    value, _ = differentiate(whole_case.term, whole_case.by)(whole_case.tensors)
    np.testing.assert_allclose(value, whole_case.values(), rtol=1e-6)


def test_the_gradient_of_a_whole_is_that_of_finite_differences(whole_case, differentiate):
    _, gradient = differentiate(whole_case.term, whole_case.by)(whole_case.in_float64)
    expected = whole_case.gradient()
    assert np.any(expected)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-9)


def test_uneven_and_empty_shards_merge_to_the_whole(case, context_of):
    shards = [{name: a[part] for name, a in case.tensors.items()} for part in (np.s_[:0], np.s_[:1], np.s_[1:])]
    empty, first, rest = (case.term.mean(context_of(case.term, shard)) for shard in shards)
    merged = empty.merge(first).merge(rest)
    assert isinstance(merged, Mean)
    np.testing.assert_allclose(merged.result(), case.mean(), rtol=1e-6)


def test_a_call_in_a_notebook_is_the_mean(case):
    np.testing.assert_allclose(case.term(**case.tensors), case.mean(), rtol=1e-6)


def test_half_precision_is_computed_in_float32(case, context_of):
    halves = {name: a.astype(np.float16) if a.dtype == np.float32 else a for name, a in case.tensors.items()}
    total, count = case.term.mean(context_of(case.term, halves))
    np.testing.assert_allclose(total / count, case.mean(**halves), rtol=1e-6)
