"""check_term: broken terms are caught by the names of their faults, and sound ones pass."""

import dataclasses
import re

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import pdist

from objectives import (
    BatchStatistic,
    ConfigurationError,
    FunctionTerm,
    Key,
    MeanSquaredError,
    PairwiseOverlap,
    Poisson,
    Term,
    WeightPenalty,
)
from objectives.testing import NotCheckedError, TermCheckError, check_term
from objectives.testing.report import LEFT_OUT, NOT_CHECKED, NOT_RUN, PASSED
from objectives.testing.term_check import checks

term = dataclasses.dataclass(frozen=True, kw_only=True)

Y = np.float32([[1, 2, 3], [4, 5, 6]])


@term
class Errors(Term):
    """What most broken terms read."""

    y_true: Key = "targets"
    y_pred: Key = "outputs"

    def values(self, y_true, y_pred):
        return tf.abs(y_pred - y_true)


class ReducedOverTheBatch(Errors):
    def values(self, y_true, y_pred):
        return tf.reduce_mean((y_pred - y_true) ** 2)


class ReducedToOnePerFeature(Errors):
    def values(self, y_true, y_pred):
        return tf.reduce_mean((y_pred - y_true) ** 2, axis=0)


class RootAtZero(Errors):
    def values(self, y_true, y_pred):
        return tf.sqrt(tf.reduce_sum((y_pred - y_true) ** 2, axis=1))


class MeanOverTime(Errors):
    def values(self, y_true, y_pred):
        return (y_pred - tf.reduce_mean(y_pred, axis=1, keepdims=True)) ** 2


class DifferencesOfRows(Errors):
    def values(self, y_true, y_pred):
        return tf.abs(y_pred - tf.roll(y_pred, 1, axis=0))


class WeighsByPosition(Errors):
    def values(self, y_true, y_pred):
        return tf.cast(tf.range(tf.shape(y_pred)[0])[:, None] + 1, y_pred.dtype) * (y_pred - y_true) ** 2


class CentredOverTheBatch(Errors):
    def values(self, y_true, y_pred):
        return (y_pred - tf.reduce_mean(y_pred, axis=0)) ** 2


class DividesByTheBatch(Errors):
    def values(self, y_true, y_pred):
        return (y_pred - y_true) ** 2 / tf.cast(tf.shape(y_pred)[0], y_pred.dtype)


class DrawsInPython(Errors):
    def values(self, y_true, y_pred):
        return (y_pred - y_true) ** 2 + np.random.default_rng().uniform()


class CountsItsCalls(Errors):
    calls = []

    def values(self, y_true, y_pred):
        self.calls.append(1)
        return len(self.calls) * (y_pred - y_true) ** 2


class EagerIsAnother(Errors):
    def values(self, y_true, y_pred):
        return (2.0 if tf.executing_eagerly() else 1.0) * (y_pred - y_true) ** 2


class InFloat16(Errors):
    def values(self, y_true, y_pred):
        return tf.cast(tf.cast(y_pred - y_true, tf.float16) ** 2, tf.float32)


class Rounded(Errors):
    def values(self, y_true, y_pred):
        return (tf.round(y_pred) - y_true) ** 2


class StoppedHalfway(Errors):
    def values(self, y_true, y_pred):
        return tf.stop_gradient(y_pred) * y_pred


class Exponential(Errors):
    def values(self, y_true, y_pred):
        return tf.math.log(1.0 + tf.exp(y_pred)) - y_true * y_pred


class Fourth(Errors):
    def values(self, y_true, y_pred):
        return (y_pred - y_true) ** 14


class Scaled(Errors):
    def values(self, y_true, y_pred):
        return (y_pred - tf.image.convert_image_dtype(y_true, tf.float32)) ** 2


class Spread(Errors):
    def values(self, y_true, y_pred):
        return tf.math.reduce_std(y_pred, axis=1) + tf.reduce_sum(y_true, axis=1)


class OnlyForKnownSizes(Errors):
    def values(self, y_true, y_pred):
        return tf.stack([y_pred[row] - y_true[row] for row in range(y_pred.shape[0])])


@term
class ClippedLabels(Term):
    y_true: Key = "targets"
    y_pred: Key = "outputs"
    number: int = 3

    @property
    def classes(self):
        return {"y_true": self.number}

    def values(self, y_true, y_pred):
        known = tf.clip_by_value(y_true, 0, self.number - 1)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(known, y_pred)


class PoisonedInSilence(ClippedLabels):
    def values(self, y_true, y_pred):
        inside = (y_true >= 0) & (y_true < self.number)
        return tf.where(inside, super().values(y_true, y_pred), np.nan)


@term
class Doubled(Errors):
    margin: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "margin", 2 * self.margin)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Incomparable(Errors):
    margin: float = 1.0


@term
class OfEvery(BatchStatistic):
    """A statistic of all rows, padding included."""

    y_pred: Key = "outputs"

    def values(self, counted, y_pred):
        return tf.reduce_mean(y_pred**2)


class OfEach(OfEvery):
    def values(self, counted, y_pred):
        return counted[:, None] * y_pred**2


class DividedByNothing(OfEvery):
    def values(self, counted, y_pred):
        return tf.reduce_sum(counted[:, None] * y_pred**2) / tf.reduce_sum(counted)


@term
class Norm(WeightPenalty):
    kernel: Key = "weights.head/kernel"

    def values(self, kernel):
        return tf.norm(kernel)


BROKEN = {
    ReducedOverTheBatch(): "values",
    ReducedToOnePerFeature(): "values",
    RootAtZero(): "coincidence",
    MeanOverTime(): "masked elements",
    WeighsByPosition(): "order of examples",
    DifferencesOfRows(): "order of examples",
    CentredOverTheBatch(): "shards",
    DividesByTheBatch(): "repeated batch",
    DrawsInPython(): "repeatable",
    CountsItsCalls(): "repeatable",
    EagerIsAnother(): "graph",
    InFloat16(): "float16",
    Rounded(): "dead gradient",
    StoppedHalfway(): "gradient",
    Errors(y_pred="inputs"): "dead gradient",
    Scaled(): "integer targets",
    Exponential(): "extreme numbers",
    Fourth(): "large numbers",
    Spread(): "ties",
    OnlyForKnownSizes(): "unknown batch size",
    ClippedLabels(): "labels out of range",
    PoisonedInSilence(): "labels out of range",
    Doubled(margin=3.0): "repr",
    Incomparable(): "comparison",
    OfEvery(): "padding",
    OfEach(): "values",
    DividedByNothing(): "masked whole",
    Norm(): "zeros",
}


@pytest.mark.parametrize(("broken", "name"), BROKEN.items(), ids=[type(one).__name__ for one in BROKEN])
def test_a_broken_term_is_caught_by_the_name_of_its_fault(broken, name):
    with pytest.raises(TermCheckError) as caught:
        check_term(broken, only=[name])
    assert name in caught.value.report.failed


def test_a_fault_between_examples_names_the_shapes_that_were_drawn_and_what_gives_others():
    with pytest.raises(TermCheckError, match=r"drawn: y_true \(5, 4\), y_pred \(5, 4\); .*--shapes=y_pred=5x4x2 "):
        check_term(DifferencesOfRows(), only=["order of examples"])
    with pytest.raises(TermCheckError) as caught:
        check_term(DifferencesOfRows(), {"y_true": Y.T, "y_pred": Y.T}, only=["order of examples"])
    assert "drawn" not in str(caught.value)


def test_the_error_is_an_assertion_that_says_what_to_change():
    with pytest.raises(AssertionError, match=r"(?s)^RootAtZero\(\) fails 2 checks on .*\n  ties: the gradient"):
        check_term(RootAtZero(), only=["ties", "zeros"])


def test_a_sound_term_of_ones_own_passes_every_check_and_is_told_in_a_table():
    report = check_term(Errors())
    assert not report.failed
    assert {one.check for one in report.outcomes} == {check.name for check in checks()}
    assert re.search(r"^gin +not applicable +write @gin.register above Errors", str(report), re.MULTILINE)


def test_only_what_is_asked_for_is_checked_and_what_is_left_out_has_its_reason():
    report = check_term(MeanOverTime(), only=["values", "masked elements"], except_for={"masked elements": "as meant"})
    assert [(one.check, one.result) for one in report.outcomes] == [("values", PASSED), ("masked elements", LEFT_OUT)]
    assert report.outcomes[1].detail == "as meant"


def test_what_needs_a_check_that_failed_is_not_run():
    with pytest.raises(TermCheckError) as caught:
        check_term(CentredOverTheBatch(), except_for={"XLA": "slow"})
    assert [*caught.value.report.failed] == ["shards"]
    results = {one.check: (one.result, one.detail) for one in caught.value.report.outcomes}
    assert results["masked NaN"] == (NOT_RUN, "as shards failed")


def test_a_term_for_which_nothing_that_is_drawn_will_do_is_not_blamed_and_not_passed():
    sevens = FunctionTerm(fn=lambda y_pred: tf.reshape(y_pred, [-1, 7]))
    with pytest.raises(NotCheckedError, match="nothing is known of FunctionTerm.*: nothing that was drawn") as caught:
        check_term(sevens)
    first, *others = caught.value.report.outcomes
    assert (first.check, first.result) == ("values", NOT_CHECKED)
    assert {one.detail for one in others if one.result == NOT_RUN} == {"as values was not checked"}
    assert check_term(sevens, {"y_pred": np.ones([2, 7])}, only=["values"])


def test_a_term_says_itself_which_checks_are_not_for_it():
    report = check_term(Poisson(), only=["extreme numbers"])
    assert [(one.result, one.detail) for one in report.outcomes] == [
        (LEFT_OUT, "a rate is the exponential of what is predicted")
    ]


@term
class Ordered(Errors):
    def values(self, y_true, y_pred):
        low, high = y_pred[..., 0], y_pred[..., 1]
        tf.debugging.assert_less_equal(low, high)
        return high - low + 20.0 * tf.nn.relu(low - y_true) + 20.0 * tf.nn.relu(y_true - high)


class LogRatio(Errors):
    def values(self, y_true, y_pred):
        return (tf.math.log(y_pred) - tf.math.log(y_true)) ** 2


class JensenShannon(Errors):
    def values(self, y_true, y_pred):
        middle = (y_true + y_pred) / 2
        return sum(
            tf.reduce_sum(tf.math.xlogy(one, one) - tf.math.xlogy(one, middle), axis=-1) / 2 for one in (y_true, y_pred)
        )


class Below100(Errors):
    def values(self, y_true, y_pred):
        assert not tf.executing_eagerly() or float(tf.reduce_max(tf.abs(y_pred))) < 100
        return (y_pred - y_true) ** 2


def _not_checked(*args, **kwargs):
    try:
        return check_term(*args, **kwargs).not_checked
    except NotCheckedError as error:
        return error.report.not_checked


SHARES = np.random.default_rng(0).dirichlet(np.ones(4), 5)


@pytest.mark.parametrize(
    ("told", "tensors", "shapes", "check"),
    [
        (Ordered(), None, None, "values"),
        (LogRatio(), None, None, "zeros"),
        (LogRatio(), None, {"y_true": (5, 7), "y_pred": (5, 7)}, "extreme numbers"),
        (JensenShannon(), None, None, "extreme numbers"),
        (JensenShannon(), {"y_true": SHARES, "y_pred": SHARES[::-1]}, None, "extreme numbers"),
        (Below100(), None, None, "extreme numbers"),
    ],
)
def test_the_line_to_copy_of_what_is_not_checked_runs(told, tensors, shapes, check):
    detail = _not_checked(told, tensors, shapes=shapes, only=[check])[check]
    names = {"check_term": lambda *args, **kwargs: _not_checked(*args, **kwargs, only=[check]), "np": np}
    names |= {type(told).__name__: type(told)}
    if copied := re.search(r"check_term\(.*\)", detail):
        assert not eval(copied[0], names)
    else:
        kwargs = eval(f"dict({re.findall(r'(?:ranges|except_for)={[^}]*}', detail)[-1]})", names)
        assert not _not_checked(told, tensors, **kwargs, only=[check])


def test_numbers_that_the_formula_refuses_itself_are_no_fault():
    tensors = {"y_true": np.float32([0, 1, 2]), "y_pred": np.float32([[-1, 1], [0, 3], [1, 2]])}
    report = check_term(Ordered(), tensors)
    extreme = {one.check: one for one in report.outcomes}["extreme numbers"]
    assert (extreme.result, extreme.detail) == (PASSED, "finite at ±10000, where the term does not refuse them")


def test_a_range_may_be_what_an_assertion_asks_for():
    class Positive(Errors):
        def values(self, y_true, y_pred):
            tf.debugging.assert_greater(y_pred, 2.0)
            return y_pred**2

    assert check_term(Positive(), ranges={"y_pred": (3.0, 9.0)}, only=["values", "extreme numbers"])


def test_a_formula_of_all_numbers_is_blamed_for_tensors_too():
    with pytest.raises(TermCheckError, match="the value is inf at numbers of .*ranges= says for which"):
        check_term(Exponential(), {"y_true": SHARES, "y_pred": SHARES}, only=["extreme numbers"])


def test_many_shapes_are_traced_without_a_warning(caplog):
    for _ in range(3):
        check_term(Errors(), only=["graph", "unknown batch size", "float16"])
    assert "retracing" not in caplog.text


@pytest.mark.parametrize("argument", [{"only": ["shard"]}, {"except_for": {"shard": "as meant"}}])
def test_a_misspelt_check_is_refused_with_the_nearest(argument):
    with pytest.raises(ConfigurationError, match="there is no check 'shard'; did you mean 'shards'"):
        check_term(MeanSquaredError(), **argument)


def test_tensors_shapes_ranges_reference_and_kinks_are_passed_on():
    report = check_term(
        PairwiseOverlap(),
        shapes={"outputs": (4, 3, 2)},
        ranges={"y_pred": (0.0, 1.0)},
        reference=lambda y_pred: np.mean([np.maximum(0, 1 - pdist(points)) for points in y_pred]),
        kinks=[({"y_pred": np.zeros([1, 2, 2])}, np.zeros([1, 2, 2]))],
        only=["values", "reference", "kinks", "large numbers"],
    )
    assert [one.result for one in report.outcomes] == [PASSED] * 4
    assert report.tensors == "y_pred (4, 3, 2)"
    by_key = check_term(MeanSquaredError(), {"y_pred": Y, "targets": Y}, only=["values"])
    assert by_key.tensors == "y_true (2, 3), y_pred (2, 3)"


def test_a_term_that_calls_the_model_is_given_a_function():
    shifted = FunctionTerm(fn=lambda model, inputs: tf.abs(model(inputs + 0.1) - model(inputs)))
    check_term(shifted, {"model": lambda inputs: tf.tanh(tf.reduce_sum(inputs**2, axis=1))}, except_for={"XLA": "slow"})


@pytest.mark.slow
def test_users_need_no_package_of_tests(run_python, tmp_path):
    code = "import sys, objectives.testing; print({'pytest', 'hypothesis', 'trainer'} & {*sys.modules})"
    assert run_python(tmp_path, "-c", code) == "set()\n"
