"""The contract of a term, on small terms of our own: reads, checks, types, mask and sample weights, repr."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from objectives import (
    ConfigurationError,
    Context,
    FunctionTerm,
    MeanSquaredError,
    RangeHinge,
    Term,
    TotalVariation,
    WeightedBinaryCrossEntropy,
    WeightPenalty,
)
from objectives.keys import Key


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shortfall(Term):
    """How far values fall short of a floor, which may be a tensor."""

    y_pred: Key = "outputs"
    floor: Key | None = None
    margin: float = 1.0

    def values(self, y_pred, floor):
        return tf.nn.relu(self.margin + (0.0 if floor is None else floor) - y_pred)


@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightDecay(WeightPenalty):
    """A term that reads no batch."""

    kernel: Key = "weights.head/kernel"

    def values(self, kernel):
        return tf.reduce_sum(kernel**2)


def same(y_pred):
    return y_pred


def mean(term, **roots):
    return float(term.mean(Context(**roots)).result())


def test_a_term_is_its_formula():
    with pytest.raises(ConfigurationError, match="Term does not define values; expected every abstract method"):
        Term()


def test_the_keys_are_the_reads_with_mask_and_sample_weight():
    term = Shortfall(y_pred="outputs.a", mask="inputs.mask", sample_weight="sample_weight")
    assert term.reads == {"y_pred": "outputs.a", "floor": None}
    assert term.keys == {"outputs.a", "inputs.mask", "sample_weight"}


@pytest.mark.parametrize("floor", [None, "inputs.floor"])
def test_a_read_that_is_none_is_passed_none(floor):
    value = mean(Shortfall(floor=floor), outputs=tf.zeros([2]), inputs={"floor": tf.constant([2.0, 4.0])})
    assert value == (1 if floor is None else 4)


@pytest.mark.parametrize(
    "term",
    [
        MeanSquaredError(),
        WeightedBinaryCrossEntropy(),
        FunctionTerm(fn=lambda y_true, y_pred: y_true - y_pred),
        FunctionTerm(fn=lambda targets, outputs: targets - outputs),
    ],
    ids=["mse", "binary cross-entropy", "function", "function of roots"],
)
@pytest.mark.parametrize("shapes", [([4], [4, 1]), ([4, 1], [4]), ([4, 3], [4, 3, 1])])
def test_a_broadcast_over_pairs_of_examples_is_refused(term, shapes):
    targets, outputs = map(tf.zeros, shapes)
    with pytest.raises(ConfigurationError, match="they would broadcast to .* expected the same shape"):
        term.mean(Context(targets=targets, outputs=outputs))


@pytest.mark.parametrize(
    "term", [FunctionTerm(fn=lambda y_pred: tf.reduce_mean(y_pred)), WeightDecay(kernel="outputs")]
)
def test_a_scalar_is_refused_where_there_is_a_batch(term):
    context = Context(outputs=tf.ones([2, 3]))
    if isinstance(term, Term):
        with pytest.raises(ConfigurationError, match=r"a scalar; expected unreduced values \[batch, ...\]"):
            term.mean(context)
    else:
        assert float(term.mean(context).result()) == 6


@pytest.mark.parametrize(
    ("dtype", "seen"),
    [(tf.float16, tf.float32), (tf.bfloat16, tf.float32), (tf.float32, tf.float32), (tf.float64, tf.float64)],
)
def test_half_precision_is_widened_and_nothing_is_narrowed(dtype, seen):
    arrived = []
    term = FunctionTerm(
        fn=lambda y_pred: arrived.append(y_pred.dtype) or y_pred, mask="inputs", sample_weight="targets"
    )
    roots = {"outputs": [[1.0], [3.0]], "inputs": [1.0, 1.0], "targets": [1.0, 1.0], "valid": [0.0, 1.0]}
    result = term.mean(Context(**{name: tf.constant(a, dtype) for name, a in roots.items()})).result()
    assert arrived == [seen]
    assert result.dtype == seen
    assert float(result) == 3


def test_a_mask_and_padding_and_sample_weights_act_together():
    term = RangeHinge(max_value=0.0, mask="inputs.mask", sample_weight="sample_weight")
    value = mean(
        term,
        outputs=tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        inputs={"mask": tf.constant([[True, False], [True, True], [True, True]])},
        sample_weight=tf.constant([10.0, 1.0, 1.0]),
        valid=tf.constant([1.0, 1.0, 0.0]),
    )
    assert value == pytest.approx((10 * 1 + 3 + 4) / 3)


# What a mask leaves alone

RNG = np.random.default_rng(0)
SHOWN = np.float32([[1, 0, 1], [0, 0, 0], [1, 1, 0], [0, 1, 1]])


@pytest.fixture
def masked_mean(compile_as):
    """The mean of a function of `outputs` and `z` behind a mask, with its gradient by the outputs."""

    def run(fn, outputs, z, mask=SHOWN, key="inputs.z"):
        term = FunctionTerm(fn=fn, keys_of={"z": key}, mask="targets")

        @compile_as
        def both(outputs, z, mask):
            with tf.GradientTape() as tape:
                tape.watch(outputs)
                context = Context(inputs={"z": z}, weights={"z": z}, outputs=outputs, targets=mask)
                mean = term.mean(context).result()
            return mean, tape.gradient(mean, outputs)

        return both(*map(tf.constant, (outputs, z, mask)))

    return run


@pytest.mark.parametrize(
    "fn",
    [
        lambda outputs, z: outputs * tf.reduce_sum(z, axis=-1, keepdims=True),
        lambda outputs, z: z * tf.nn.log_softmax(outputs),
        lambda outputs, z: z * tf.cumsum(outputs, axis=1),
    ],
    ids=["sum of another read", "softmax over items", "sum over time"],
)
def test_a_value_that_counts_may_depend_on_what_is_masked(masked_mean, fn):
    outputs, z = RNG.normal(size=(2, 4, 3)).astype(np.float32)
    value, gradient = masked_mean(fn, outputs, z)
    with tf.GradientTape() as tape:
        tape.watch(plain := tf.constant(outputs))
        expected = tf.reduce_sum(SHOWN * fn(plain, z)) / SHOWN.sum()
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, tape.gradient(expected, plain), rtol=1e-5, atol=1e-7)


def test_an_item_that_the_model_itself_rules_out_stays_ruled_out_behind_a_mask(masked_mean):
    outputs, z = RNG.normal(size=(2, 4, 3)).astype(np.float32)
    value, gradient = masked_mean(
        lambda outputs, z: z * tf.nn.log_softmax(outputs), np.where(SHOWN, outputs, -np.inf).astype(np.float32), z
    )
    weighed = np.where(SHOWN, np.exp(outputs), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = z * np.log(weighed / weighed.sum(-1, keepdims=True))
    np.testing.assert_allclose(value, values[SHOWN > 0].sum() / SHOWN.sum(), rtol=1e-5)
    assert np.isfinite(gradient).all()


def test_weights_are_not_masked_though_they_have_as_many_rows_as_the_batch(masked_mean):
    outputs, kernel = RNG.normal(size=(2, 4, 3)).astype(np.float32)
    mask = np.float32([1, 0, 1, 0])

    def fn(outputs, z):
        return outputs * tf.reduce_sum(z**2)

    value, _ = masked_mean(fn, outputs, kernel, mask, key="weights.z")
    np.testing.assert_allclose(value, np.mean(outputs[::2]) * np.sum(kernel**2), rtol=1e-5)


def test_a_function_whose_slope_at_0_is_infinite_can_be_masked(masked_mean):
    outputs = RNG.uniform(0.1, 1, size=(4, 3)).astype(np.float32)
    value, gradient = masked_mean(lambda outputs, z: z * tf.math.log(outputs), outputs, np.ones_like(outputs))
    np.testing.assert_allclose(value, np.sum(SHOWN * np.log(outputs)) / SHOWN.sum(), rtol=1e-5)
    np.testing.assert_allclose(gradient, SHOWN / outputs / SHOWN.sum(), rtol=1e-5)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_masked_of_a_function_may_be_anything(masked_mean, odd):
    outputs, z = RNG.normal(size=(2, 4, 3)).astype(np.float32)
    hidden = [np.where(SHOWN, array, odd).astype(np.float32) for array in (outputs, z)]
    value, gradient = masked_mean(lambda outputs, z: (outputs - z) ** 2, *hidden)
    np.testing.assert_allclose(value, np.sum(SHOWN * (outputs - z) ** 2) / SHOWN.sum(), rtol=1e-5)
    np.testing.assert_allclose(gradient, 2 * SHOWN * (outputs - z) / SHOWN.sum(), rtol=1e-5)


def test_labels_that_are_masked_may_be_out_of_range(masked_mean):
    labels = np.where(SHOWN, 1, 255).astype(np.int32)
    outputs = RNG.normal(size=(4, 3, 2)).astype(np.float32)
    value, gradient = masked_mean(
        lambda outputs, z: tf.nn.sparse_softmax_cross_entropy_with_logits(z, outputs), outputs, labels
    )
    chances = np.exp(outputs[..., 1]) / np.exp(outputs).sum(-1)
    np.testing.assert_allclose(value, -np.sum(SHOWN * np.log(chances)) / SHOWN.sum(), rtol=1e-5)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("role", ["mask", "sample_weight"])
def test_a_factor_that_does_not_fit_is_refused(role):
    term = RangeHinge(**{role: "inputs"})
    with pytest.raises(ConfigurationError, match=r"has the shape \(3,\) and its values have \(2, 4\)"):
        term.mean(Context(outputs=tf.ones([2, 4]), inputs=tf.ones([3])))


@pytest.mark.parametrize(
    ("bad", "answer"),
    [
        ({"reduction": "men"}, "TotalVariation.reduction is 'men'; did you mean 'mean'?"),
        ({"reduction": 3}, "known: mean, sum"),
    ],
)
def test_a_choice_is_one_of_those_that_exist(bad, answer):
    with pytest.raises(ConfigurationError, match=answer):
        TotalVariation(**bad)


@pytest.mark.parametrize("average", ["elements", "examples"])
def test_a_sum_in_float64_is_nearer_to_the_truth(average):
    values = np.random.default_rng(0).normal(1e4, 1.0, size=[1000, 20]).astype(np.float32)
    exact = values.astype(np.float64).mean()

    def error(dtype):
        term = FunctionTerm(fn=lambda outputs: outputs, dtype=dtype, average=average)
        total, count = term.mean(Context(outputs=tf.constant(values)))
        assert total.dtype == count.dtype == dtype
        return abs(total.numpy() / count.numpy() - exact)

    assert error("float64") < 1e-8 < error("float32")


@pytest.mark.parametrize(("field", "nearest"), [("average", "elements"), ("dtype", "float32")])
def test_a_choice_that_there_is_not_is_refused(field, nearest):
    with pytest.raises(ConfigurationError, match=f"MeanSquaredError.{field} is '{nearest}s'; did you mean '{nearest}'"):
        MeanSquaredError(**{field: f"{nearest}s"})
