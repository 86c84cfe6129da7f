"""BaseTerm: reads, keys and weights are checked as a term is made, whatever its kind."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from objectives import (
    R1,
    ConfigurationError,
    ConfusionWeightedCrossEntropy,
    Context,
    FunctionTerm,
    MeanSquaredError,
    PairwiseOverlap,
    RangeHinge,
    Term,
    WeightDecay,
    WeightedMeanSquaredError,
)
from objectives.schedules import Linear


def same(y_pred):
    return y_pred


def test_an_argument_of_values_is_a_field():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Forgetful(Term):
        def values(self, y_pred):
            return y_pred

    with pytest.raises(
        ConfigurationError, match=r"Forgetful.values\(\) takes 'y_pred', which is not a field; add .* Key"
    ):
        Forgetful()


@pytest.mark.parametrize("field", ["y_pred", "mask", "sample_weight"])
def test_an_unknown_root_is_refused_with_the_nearest_name(field):
    with pytest.raises(ConfigurationError, match="'outptus'; did you mean 'outputs'?"):
        RangeHinge(**{field: "outptus.a"})


@pytest.mark.parametrize("key", [3, ("outputs",)])
def test_a_key_that_is_no_string_is_refused(key):
    with pytest.raises(ConfigurationError, match="RangeHinge.y_pred is .*; expected a key such as"):
        RangeHinge(y_pred=key)


@pytest.mark.parametrize("weight", ["0.1", None, [1.0], True, float("nan"), float("inf")])
def test_a_weight_that_is_neither_number_nor_schedule_is_refused(weight):
    answer = "RangeHinge.weight is .*; expected a finite number, a schedule such as .*, or a function of one argument"
    with pytest.raises(ConfigurationError, match=answer):
        RangeHinge(weight=weight)


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (lambda: R1(gamma=np.inf), r"R1.gamma is inf; expected a finite number$"),
        (lambda: RangeHinge(min_value=-np.inf), r"RangeHinge.min_value is -inf; expected a finite number$"),
        (
            lambda: ConfusionWeightedCrossEntropy(costs=((0.0, np.inf), (1.0, 0.0))),
            r"ConfusionWeightedCrossEntropy.costs is \(\(0.0, inf\), \(1.0, 0.0\)\); expected a finite number$",
        ),
    ],
)
def test_an_infinite_setting_is_refused_with_its_value(make, answer):
    with pytest.raises(ConfigurationError, match=answer):
        make()


def test_an_infinite_default_is_the_choice_of_the_class():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Capped(RangeHinge):
        cap: float = np.inf

    assert Capped().cap == np.inf


def test_only_a_constant_weight_of_0_takes_a_term_out():
    assert not RangeHinge(weight=0).optimised
    assert RangeHinge(weight=0.1).optimised
    assert RangeHinge(weight=Linear(first=0.0, last=0.0, steps=1)).optimised


def test_aligned_reads_agree_in_shape():
    with pytest.raises(ConfigurationError, match=r"y_true has the shape \(2, 3\) and y_pred has \(2, 4\)"):
        MeanSquaredError()(y_true=np.zeros([2, 3]), y_pred=np.zeros([2, 4]))


def test_an_error_about_shapes_names_the_keys_and_the_shapes_that_they_have():
    term = FunctionTerm(fn=lambda y_true, y_pred: y_true - y_pred, keys_of={"y_true": "targets.b"})
    context = Context(targets={"b": tf.ones([5, 3])}, outputs=tf.ones([5, 4]))
    with pytest.raises(
        ConfigurationError, match=r"; it reads y_true = 'targets.b' \(5, 3\), y_pred = 'outputs' \(5, 4\)$"
    ):
        term.mean(context)


def test_aligned_reads_may_have_sizes_that_are_known_only_at_run_time():
    @tf.function(input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([None, 3])])
    def traced(y_true, y_pred):
        return MeanSquaredError()(y_true=y_true, y_pred=y_pred)

    assert float(traced(tf.zeros([2, 3]), tf.ones([2, 3]))) == 1


def test_integer_targets_are_compared_in_the_type_of_the_prediction():
    value = MeanSquaredError()(y_true=np.array([[1, 2]]), y_pred=np.array([[1.5, 2.5]], np.float32))
    assert value.dtype == tf.float32
    assert float(value) == 0.25


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (RangeHinge(), "RangeHinge()"),
        (RangeHinge(weight=0.1, max_value=2.0, min_value=-1.0), "RangeHinge(weight=0.1, max_value=2.0)"),
        (PairwiseOverlap(mask="inputs.mask"), "PairwiseOverlap(mask='inputs.mask')"),
        (FunctionTerm(fn=same), f"FunctionTerm(fn={same!r})"),
        (
            FunctionTerm(fn=same, keys_of={"y_pred": "inputs"}),
            f"FunctionTerm(fn={same!r}, keys_of={{'y_pred': 'inputs'}})",
        ),
        (
            WeightedMeanSquaredError(position_weights=np.array([1.0, 2.0])),
            "WeightedMeanSquaredError(position_weights=array([1., 2.]))",
        ),
        (WeightDecay(), "WeightDecay()"),
    ],
    ids=lambda value: type(value).__name__,  # a function's repr has its address, which no two processes share
)
def test_repr_shows_only_what_was_changed(term, text):
    assert repr(term) == text


def test_a_term_is_frozen_and_keyword_only():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RangeHinge().weight = 2.0
    with pytest.raises(TypeError):
        RangeHinge(1.0)


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        (
            {"y_pred": [1.0], "mask": [1.0]},
            "RangeHinge is called with 'mask', which its formula .* 'mask' selects what",
        ),
        (
            {"y_pred": [1.0], "y_true": [1.0]},
            "RangeHinge is called with 'y_true', which its formula does not read; expe",
        ),
        ({}, "^RangeHinge is called without 'y_pred'; expected y_pred$"),
    ],
)
def test_a_call_with_other_tensors_than_the_formula_reads_is_told_by_their_names(tensors, told):
    with pytest.raises(ConfigurationError, match=told):
        RangeHinge(mask="inputs.mask")(**{name: tf.constant(values) for name, values in tensors.items()})
