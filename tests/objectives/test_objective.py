"""The objective: names, order, what it refuses, how its terms add up, and how gin composes it."""

import gin
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Context, FunctionTerm, Mean, MeanSquaredError, Objective, RangeHinge
from objectives.schedules import Linear


@pytest.fixture
def from_gin():
    """Builds the objective that gin bindings describe; later ones win."""

    def build(*configs):
        for config in configs:
            gin.parse_config(config)
        return gin.get_configurable(Objective)()

    return build


@pytest.fixture
def total(compile_as):
    """Compiles the optimised total of an objective with the gradient by the outputs."""

    def make(objective):
        @compile_as
        def run(outputs, step):
            with tf.GradientTape() as tape:
                tape.watch(outputs)
                means = objective.means(Context(outputs=outputs, targets=tf.zeros_like(outputs), step=step))
                raw = tf.stack([mean.result() for mean in means.values()])
                value = tf.reduce_sum(objective.weighted(raw, objective.weights(step)))
            return value, tape.gradient(value, outputs), raw

        return run

    return make


def test_terms_are_in_the_order_of_their_names_whatever_the_order_given():
    a, b, c = (RangeHinge(weight=weight) for weight in (1.0, 2.0, 3.0))
    objectives = Objective(c=c, a=a, b=b), Objective(b=b, c=c, a=a)
    context = Context(outputs=tf.ones([2, 3]))
    for objective in objectives:
        assert list(objective.terms) == list(objective.means(context)) == ["a", "b", "c"]
        np.testing.assert_array_equal(objective.weights(0), [1, 2, 3])
    assert repr(objectives[0]) == "Objective(a=RangeHinge(), b=RangeHinge(weight=2.0), c=RangeHinge(weight=3.0))"


def test_a_term_that_is_none_is_dropped():
    assert list(Objective(data=MeanSquaredError(), range=None).terms) == ["data"]


def test_terms_cannot_be_changed_behind_its_back():
    with pytest.raises(TypeError):
        Objective(data=MeanSquaredError()).terms["more"] = RangeHinge()


@pytest.mark.parametrize("terms", [{}, {"data": None}])
def test_an_empty_objective_is_refused(terms):
    with pytest.raises(ConfigurationError, match="the objective is empty; add a term"):
        Objective(**terms)


def test_an_objective_that_learns_nothing_is_refused():
    with pytest.raises(ConfigurationError, match="every term of the objective has the weight 0"):
        Objective(a=RangeHinge(weight=0), b=MeanSquaredError(weight=0.0))


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("None", "critic/Objective is empty; add a term, such as critic/Obj"),
        ("@MeanSquaredError()", "every term of critic/Objective has the weight 0"),
    ],
)
def test_one_of_several_in_a_gin_file_is_named_with_its_scope(line, answer):
    gin.parse_config(f"critic/Objective.data = {line}\nMeanSquaredError.weight = 0.0")
    with gin.config_scope("critic"), pytest.raises(ConfigurationError, match=answer):
        gin.get_configurable(Objective)()


def test_all_that_is_no_term_is_refused_at_once():
    with pytest.raises(ConfigurationError) as error:
        Objective(data=MeanSquaredError(), a=RangeHinge, b=lambda y_pred: y_pred)
    first, second = error.value.messages
    assert first.startswith("Objective.a is the class RangeHinge, not an object of it; write @RangeHinge() in a gin")
    assert second.startswith("Objective.b is <function")
    assert "expected a Term, such as @RangeHinge()" in second


@pytest.mark.parametrize("name", ["", "../../x", "a/b", "a b", ".hidden"])
def test_a_name_that_tags_cannot_hold_is_refused(name):
    with pytest.raises(ConfigurationError, match="a term is named '.*'; expected letters"):
        Objective(**{name: MeanSquaredError()})


def test_the_mistakes_of_all_terms_are_reported_together():
    objective = Objective(
        good=RangeHinge(),
        masked=RangeHinge(mask="inputs.mask"),
        misspelt=RangeHinge(y_pred="outputs.a"),
        scalar=FunctionTerm(fn=lambda y_pred: tf.reduce_sum(y_pred)),
    )
    with pytest.raises(ConfigurationError) as error:
        objective.means(Context(outputs=tf.ones([2, 3])))
    starts = [
        "term 'masked' (RangeHinge): key",
        "term 'misspelt' (RangeHinge): key",
        "term 'scalar' (FunctionTerm): va",
    ]
    assert [message[: len(start)] for message, start in zip(error.value.messages, starts, strict=True)] == starts


def test_the_keys_are_those_of_all_terms():
    objective = Objective(data=MeanSquaredError(), range=RangeHinge(y_pred="outputs.a", mask="inputs.mask"))
    assert objective.keys == {"targets", "outputs", "outputs.a", "inputs.mask"}


def test_the_total_is_the_sum_of_weight_times_mean(total):
    objective = Objective(data=MeanSquaredError(weight=Linear(steps=10)), range=RangeHinge(weight=0.5))
    value, gradient, raw = total(objective)(tf.constant([[3.0, 0.0]]), tf.constant(4))
    np.testing.assert_allclose(raw, [4.5, 1])
    np.testing.assert_allclose(value, 0.4 * 4.5 + 0.5 * 1, rtol=1e-6)
    np.testing.assert_allclose(gradient, [[0.4 * 3 + 0.5 / 2, 0]], rtol=1e-6)


@pytest.mark.parametrize("fn", [tf.math.log, lambda y_pred: tf.sqrt(y_pred) / y_pred], ids=["-inf", "nan"])
def test_a_term_of_weight_0_is_measured_and_can_harm_nothing(total, fn):
    objective = Objective(data=MeanSquaredError(), watched=FunctionTerm(fn=lambda y_pred: fn(y_pred), weight=0))
    value, gradient, raw = total(objective)(tf.constant([[0.0, 2.0]]), tf.constant(0))
    assert not np.isfinite(raw[1])
    assert value == 2
    np.testing.assert_array_equal(gradient, [[0, 2]])


def test_gin_adds_changes_and_drops_terms_by_name(from_gin):
    base = "Objective.data = @MeanSquaredError()\nObjective.range = @RangeHinge()\nRangeHinge.weight = 0.5"
    assert repr(from_gin(base)) == "Objective(data=MeanSquaredError(), range=RangeHinge(weight=0.5))"
    changed = from_gin(
        "Objective.smooth = @TotalVariation()",
        "RangeHinge.weight = @Linear()\nLinear.steps = 10\nRangeHinge.max_value = 2.0",
        "Objective.data = None",
    )
    assert list(changed.terms) == ["range", "smooth"]
    assert changed.terms["range"] == RangeHinge(weight=Linear(steps=10), max_value=2.0)


def test_gin_scopes_give_each_head_of_a_model_its_own_term(from_gin):
    objective = from_gin("""
        Objective.a = @a/MeanSquaredError()
        a/MeanSquaredError.y_true = 'targets.a'
        a/MeanSquaredError.y_pred = 'outputs.a'
        Objective.b = @b/MeanSquaredError()
        b/MeanSquaredError.y_true = 'targets.1.b'
        b/MeanSquaredError.y_pred = 'outputs.b'
        MeanSquaredError.weight = 0.5
    """)
    context = Context(
        targets={"a": tf.zeros([2, 1]), "1": {"b": tf.zeros([2, 3])}},
        outputs={"a": tf.fill([2, 1], 2.0), "b": tf.fill([2, 3], 3.0)},
    )
    assert {name: float(mean.result()) for name, mean in objective.means(context).items()} == {"a": 4, "b": 9}
    np.testing.assert_array_equal(objective.weights(0), [0.5, 0.5])


def test_what_a_formula_or_a_weight_raises_is_reported_with_its_term_and_line():
    def broken(y_pred):
        raise OSError("no table")

    context = Context(outputs=tf.ones([2, 1]))
    with pytest.raises(ConfigurationError, match=r"^term 'a' \(FunctionTerm\): .*test_objective.py, line \d+: OSErr"):
        Objective(a=FunctionTerm(fn=broken)).means(context)
    with pytest.raises(ConfigurationError, match=r"^the weight of term 'a': .*test_objective.py, line \d+: ZeroDiv"):
        Objective(a=RangeHinge(weight=lambda step: 1 / 0)).weights(0)
    with pytest.raises(ConfigurationError, match=r"^the weight of term 'a' has the shape \(2,\); expected a scalar"):
        Objective(a=RangeHinge(weight=lambda step: [1.0, 2.0])).weights(0)


def test_no_term_is_named_as_their_sum_is():
    with pytest.raises(ConfigurationError, match="a term is named 'total', which is the name of their sum"):
        Objective(data=MeanSquaredError(), total=RangeHinge())


def test_a_key_has_the_lines_that_leave_out_the_terms_that_read_it():
    read = {name: RangeHinge(y_pred="activations.hidden") for name in ("a", "critic.b")}
    assert Objective(data=MeanSquaredError(), **read).remedies["activations.hidden"] == (
        "expected another key, or Objective.a = None and critic/Objective.b = None"
    )


def test_a_subclass_of_a_term_may_compute_its_mean_otherwise():
    class Doubled(MeanSquaredError):
        def mean(self, context):
            total, count = super().mean(context)
            return Mean(2 * total, count)

    context = Context(outputs=tf.constant([[3.0]]), targets=tf.constant([[1.0]]))
    means = Objective(plain=MeanSquaredError(), doubled=Doubled()).means(context)
    assert (float(means["plain"].result()), float(means["doubled"].result())) == (4.0, 8.0)
