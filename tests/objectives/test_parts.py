"""Parts: a term with a star is one for each tensor, each by itself, and what they make up."""

import numpy as np
import pytest
import tensorflow as tf

from objectives import (
    ActivationPenalty,
    ConfigurationError,
    Context,
    Decorrelation,
    FunctionTerm,
    MeanSquaredError,
    Objective,
    WeightDecay,
)
from objectives.mean import Mean

RNG = np.random.default_rng(0)
H1, H2 = RNG.normal(size=[4, 3]).astype(np.float32), RNG.normal(size=[4, 2, 5]).astype(np.float32)
MASK = np.array([1.0, 0.0, 1.0, 0.0], np.float32)


def values(objective, context):
    """The value of each term, and the mean of each part, by name."""
    parts = objective.parts(context)
    means = objective.means(context, parts)
    raw, counts = parts.merged(Mean(*map(tf.stack, zip(*means.values(), strict=True))))
    each = {name: float(mean.result()) for name, mean in means.items()}
    return dict(zip(objective.terms, raw.numpy().tolist(), strict=True)), each, counts.numpy().tolist()


@pytest.fixture
def context():
    """Two hidden tensors of different shapes, of which one has two names, and the output that a layer made."""
    h1, h2, out = map(tf.constant, (H1, H2, H1[:, :1]))
    activations = {"h1": h1, "h2": h2, "block": h2, "block/h3": h2, "head": out}
    return Context(outputs={"y": out}, activations=activations, targets={"mask": tf.constant(MASK)})


@pytest.mark.parametrize("across", ["mean", "sum"])
@pytest.mark.parametrize("mask", [None, "targets.mask"])
def test_a_star_is_one_term_for_each_tensor(context, across, mask):
    term = ActivationPenalty(activation="activations.h*", norm="l2", across=across, mask=mask)
    terms, each, counts = values(
        Objective(small=term, other=MeanSquaredError(y_true="outputs.y", y_pred="outputs.y")), context
    )
    kept = MASK > 0 if mask else slice(None)
    expected = {"small/h1": np.mean(H1[kept] ** 2.0), "small/h2": np.mean(H2[kept] ** 2.0)}
    assert each == pytest.approx({"other": 0.0, **expected}, rel=1e-6)
    total = sum(expected.values())
    assert terms == pytest.approx({"other": 0.0, "small": total / 2 if across == "mean" else total}, rel=1e-6)
    assert counts == [4.0, H1[kept].size + H2[kept].size]


def test_a_tensor_counts_once_under_its_makers_name_and_outputs_not_at_all(context):
    parts = Objective(small=ActivationPenalty(activation="activations.*")).parts(context)
    assert [part.tensor for part in parts] == ["block/h3", "h1"]
    with pytest.raises(ConfigurationError, match="matches only outputs of the model; expected 'outputs'"):
        Objective(small=ActivationPenalty(activation="activations.hea*")).parts(context)
    # A key without a star is what it says.
    assert context["activations.head"] is context["outputs.y"]


def test_a_tensor_without_any_value_has_no_say():
    targets = {"mask_a": tf.ones([2]), "mask_b": tf.zeros([2])}
    context = Context(outputs={"a": tf.fill([2, 1], 3.0), "b": tf.fill([2, 4], 100.0)}, targets=targets)
    term = FunctionTerm(fn=lambda y: y, keys_of={"y": "outputs.*"}, mask="targets.mask_*")
    assert values(Objective(value=term), context)[::2] == ({"value": 3.0}, [2.0])


def test_stars_of_several_keys_are_paired_by_what_they_stand_for():
    outputs = {"left": tf.fill([2, 1], 3.0), "right": tf.fill([2, 2], 5.0)}
    targets = {"right": tf.fill([2, 2], 1.0), "left": tf.fill([2, 1], 1.0)}
    objective = Objective(data=MeanSquaredError(y_true="targets.*", y_pred="outputs.*"))
    assert values(objective, Context(outputs=outputs, targets=targets))[:2] == (
        {"data": 10.0},
        {"data/left": 4.0, "data/right": 16.0},
    )
    with pytest.raises(ConfigurationError) as error:
        objective.means(Context(outputs=outputs, targets={"left": targets["left"]}))
    assert "term 'data' (MeanSquaredError): keys 'targets.*' and 'outputs.*'" in str(error.value)
    assert "outputs.right has no counterpart" in str(error.value)


def test_each_tensor_of_a_layer_that_gives_several_is_one():
    several = {"lstm": [(tf.ones([2, 3]), tf.fill([2, 5], 2.0)), (tf.fill([2, 3], 3.0), tf.fill([2, 5], 4.0))]}
    term = ActivationPenalty(activation="activations.l*m")
    _, each, _ = values(Objective(small=term), Context(activations=several))
    assert each == {"small/lstm.0.0": 1, "small/lstm.0.1": 2, "small/lstm.1.0": 3, "small/lstm.1.1": 4}


def test_a_statistic_of_the_batch_and_weights_take_stars_too(context):
    flat = Context(activations={"h1": tf.constant(H1), "h2": tf.constant(H2[:, 0])}, weights={"a": H1, "b": H2})
    objective = Objective(
        apart=Decorrelation(features="activations.h*", across="sum"), decay=WeightDecay(variables="weights.*")
    )
    terms, each, counts = values(objective, flat)
    alone = [Decorrelation(features=f"activations.{name}").mean(flat).result() for name in ("h1", "h2")]
    assert terms == pytest.approx({"apart": float(sum(alone)), "decay": np.sum(H1**2) + np.sum(H2**2)}, rel=1e-6)
    assert each["decay/b"] == pytest.approx(np.sum(H2**2), rel=1e-6)
    assert counts == [2.0, 2.0]


def test_an_infinite_tensor_leaves_other_terms_alone(context):
    inverse = FunctionTerm(fn=lambda h: 1 / (h * 0), keys_of={"h": "activations.h*"})
    terms, _, _ = values(Objective(data=ActivationPenalty(activation="activations.h*"), inverse=inverse), context)
    assert not np.isfinite(terms["inverse"])
    assert terms["data"] == pytest.approx((np.mean(np.abs(H1)) + np.mean(np.abs(H2))) / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("activations.x*", "key 'activations.x*': did you mean 'activations.block'?"),
        ("targets.*", "key 'targets.*': this run has no targets"),
    ],
)
def test_a_star_that_matches_nothing_is_refused(key, answer):
    context = Context(activations={"block": tf.ones([2, 3])})
    with pytest.raises(ConfigurationError) as error:
        Objective(small=ActivationPenalty(activation=key)).means(context)
    assert answer in str(error.value)


def test_outside_of_an_objective_a_star_has_to_match_one_tensor_alone(context):
    assert context["activations.*1"] is context["activations.h1"]
    with pytest.raises(
        ConfigurationError, match="key 'activations.h.' names several tensors; did you mean 'activations.h"
    ):
        ActivationPenalty(activation="activations.h*").mean(context)
