"""Exactness: however a batch is cut, a step is that of a plain NumPy model in float64."""

import dataclasses

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from objectives import ActivationPenalty, MeanSquaredError, Objective, RangeHinge, WeightDecay
from trainer import ArraySource, Trainer
from trainer.devices.strategy import mirrored

EXAMPLES, TIME, RATE = 9, 3, 0.1
TERMS = ("data", "decay", "hinge", "small")

# A weight of 0 takes a term out of the gradient; the others differ enough for a mix-up to show.
weights = st.sampled_from([0.0, 0.3, 1.0, 2.5])


@st.composite
def cases(draw):
    """How a step is cut, clipped and weighed, with an objective of some of the terms."""
    used = draw(st.sets(st.sampled_from(TERMS), min_size=1))
    chosen = {name: draw(weights) for name in sorted(used)}
    if not any(chosen.values()):
        chosen[min(used)] = 1.0
    return {
        "weights": chosen,
        "average": {name: draw(st.sampled_from(["elements", "examples"])) for name in TERMS},
        "masked": {name: draw(st.booleans()) for name in TERMS},
        "weighted": draw(st.booleans()) and "data" in used,
        "shown": draw(st.sampled_from([0.0, 0.3, 0.7, 1.0])),
        "batch_size": draw(st.integers(1, 13)),
        "count": draw(st.integers(1, 4)),
        "parts": draw(st.integers(1, 3)),
        "clip_norm": draw(st.sampled_from([None, 0.05])),
        "clip_value": draw(st.sampled_from([None, 0.02])),
        "seed": draw(st.integers(0, 1000)),
    }


def arrays(case):
    rng = np.random.default_rng(case["seed"])
    made = {
        "x": rng.normal(size=[EXAMPLES, TIME, 2]),
        "y": rng.normal(size=[EXAMPLES, TIME, 1]),
        "mask": rng.random([EXAMPLES, TIME]) < case["shown"],
        "factor": rng.uniform(0.2, 3.0, EXAMPLES),
        "w": rng.normal(size=[2, 3]),
        "v": rng.normal(size=[3, 1]),
    }
    # What TensorFlow sees, and NumPy sees no more of it.
    return {name: array.astype(np.float32).astype(np.float64) for name, array in made.items()}


def mean_and_slope(values, slopes, counted, per_example):
    """The mean of values `[batch, ...]` with the slope of each by what it is a function of."""
    if per_example:
        inside = tuple(range(1, values.ndim))
        counts = counted.sum(axis=inside, keepdims=True)
        share = counted / np.maximum(counts, 1) / max(np.sum(counts > 0), 1)
    else:
        share = counted / max(counted.sum(), 1)
    return np.sum(values * share), slopes * share


def plain_step(case, batch):
    """Each term, the total, the norm of the gradient, and both weight matrices after a step, all written out."""
    a = arrays(case)
    x, y, mask, factor = (a[name][batch] for name in ("x", "y", "mask", "factor"))
    w, v = a["w"], a["v"]
    hidden = np.tanh(x @ w)
    out = hidden @ v
    raw, by_out, by_hidden, by_weights = {}, 0 * out, 0 * hidden, [0 * w, 0 * v]

    def add(name, values, slopes):
        shown = mask[..., None] if case["masked"][name] else 1.0
        counted = np.ones_like(values) * shown
        raw[name], slope = mean_and_slope(values, slopes, counted, case["average"][name] == "examples")
        return case["weights"][name] * slope

    if "data" in case["weights"]:
        scale = factor[:, None, None] if case["weighted"] else 1.0
        by_out = by_out + add("data", scale * (out - y) ** 2, scale * 2 * (out - y))
    if "hinge" in case["weights"]:
        values = np.maximum(0, out - 0.5) + np.maximum(0, -0.5 - out)
        by_out = by_out + add("hinge", values, np.float64(out > 0.5) - (out < -0.5))
    if "small" in case["weights"]:
        by_hidden = by_hidden + add("small", hidden**2, 2 * hidden)
    if "decay" in case["weights"]:
        raw["decay"] = np.sum(w**2) + np.sum(v**2)
        by_weights = [case["weights"]["decay"] * 2 * weight for weight in (w, v)]
    by_hidden = by_hidden + by_out @ v.T
    gradients = [
        by_weights[0] + np.einsum("bti,bth->ih", x, by_hidden * (1 - hidden**2)),
        by_weights[1] + np.einsum("bth,bto->ho", hidden, by_out),
    ]
    total = sum(case["weights"][name] * value for name, value in raw.items())
    after = [weight - RATE * g for weight, g in zip((w, v), clipped(case, gradients), strict=True)]
    return raw, total, norm(gradients), after


def norm(gradients):
    return np.sqrt(sum(np.sum(g**2) for g in gradients))


def clipped(case, gradients):
    if case["clip_value"]:
        gradients = [np.clip(g, -case["clip_value"], case["clip_value"]) for g in gradients]
    if case["clip_norm"] and norm(gradients) > case["clip_norm"]:
        gradients = [g * case["clip_norm"] / norm(gradients) for g in gradients]
    return gradients


def objective_of(case):
    def read(name):
        return {"mask": "targets.mask" if case["masked"][name] else None, "average": case["average"][name]}

    terms = {
        "data": MeanSquaredError(
            y_true="targets.y", sample_weight="sample_weight" if case["weighted"] else None, **read("data")
        ),
        "hinge": RangeHinge(min_value=-0.5, max_value=0.5, **read("hinge")),
        "small": ActivationPenalty(activation="activations.hidden", norm="l2", **read("small")),
        "decay": WeightDecay(),
    }
    return Objective(
        **{name: dataclasses.replace(terms[name], weight=weight) for name, weight in case["weights"].items()}
    )


def check(case):
    """One step of the trainer against the plain one."""
    a = arrays(case)
    keras.utils.set_random_seed(0)
    inputs = keras.Input([TIME, 2])
    hidden = keras.layers.Dense(3, activation="tanh", use_bias=False, name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False, name="head")(hidden))
    model.set_weights([a["w"], a["v"]])
    weight = a["factor"] if case["weighted"] else None
    source = ArraySource(a["x"], {"y": a["y"], "mask": a["mask"]}, sample_weight=weight)
    values = Trainer(
        model=model,
        objective=objective_of(case),
        optimizer=keras.optimizers.SGD(RATE),
        train=source,
        batch_size=case["batch_size"],
        steps=1,
        log_every=1,
        strategy=mirrored([f"CPU:{i}" for i in range(case["count"])]),
        execution="graph",
        accumulate_steps=case["parts"],
        clip_norm=case["clip_norm"],
        clip_value=case["clip_value"],
        allow_unreached=True,
        default_reports=False,
    ).train()
    (batch,) = source.indices(first_batch=0, steps=1, batch_size=case["batch_size"], seed=0)
    raw, total, gradient_norm, after = plain_step(case, batch)
    close = {"rel": 1e-5, "abs": 1e-6}
    counted = {name: raw[name] for name in raw if values[f"terms/{name}/count"]}  # a mean of nothing is no number
    assert {name: values[f"terms/{name}/raw"] for name in raw if f"terms/{name}/raw" in values} == pytest.approx(
        counted, **close
    )
    assert not any(raw[name] for name in raw.keys() - counted.keys())
    assert values["loss/total"] == pytest.approx(total, **close)
    assert values["optimizer/grad_norm"] == pytest.approx(gradient_norm, **close)
    for found, expected in zip(model.get_weights(), after, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


# All terms together, cut in ways that a few random examples may miss.
ALL = {
    "weights": {"data": 1.0, "decay": 0.3, "hinge": 2.5, "small": 0.3},
    "average": {"data": "elements", "decay": "elements", "hinge": "examples", "small": "elements"},
    "masked": {"data": True, "decay": False, "hinge": True, "small": False},
    "weighted": True,
    "shown": 0.7,
    "batch_size": 7,
    "count": 3,
    "parts": 1,
    "clip_norm": None,
    "clip_value": None,
    "seed": 0,
}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param({**ALL, "count": 2, "parts": 2, "clip_norm": 0.05}, id="parts, clipped"),
        pytest.param(ALL, marks=pytest.mark.slow, id="replicas"),
        pytest.param({**ALL, "count": 4, "batch_size": 5}, marks=pytest.mark.slow, id="an empty shard"),
        pytest.param({**ALL, "count": 2, "shown": 0.0}, marks=pytest.mark.slow, id="every value masked"),
    ],
)
def test_a_step_is_that_of_plain_numpy_however_it_is_cut(case):
    check(case)


@pytest.mark.slow
@settings(max_examples=24, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases())
def test_many_more_steps_are_those_of_plain_numpy(case):
    check(case)
