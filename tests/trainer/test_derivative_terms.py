"""Terms over derivatives: a run is that of a loop written by hand with nested tapes, however it is run and cut."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import FunctionTerm, Objective
from trainer import ArraySource, MixedSource, Trainer
from trainer.reports import JsonLines

RNG = np.random.default_rng(0)
INTERIOR = {name: RNG.uniform(size=(24, 1)).astype(np.float32) for name in ("x", "t")}
START = {"x": RNG.uniform(size=(12, 1)).astype(np.float32), "t": np.zeros([12, 1], np.float32)}
WAVE = np.sin(np.pi * START["x"])
STEPS, RATE, SHARES = 3, 0.05, {"interior": 2, "start": 1}


def network():
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input([2]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])


def field(core):
    """A function of the points of two sets by the names of their parts."""
    points = {part: {name: keras.Input([1]) for name in ("t", "x")} for part in ("interior", "start")}
    return keras.Model(points, {part: core(keras.ops.concatenate([p["x"], p["t"]], 1)) for part, p in points.items()})


def residual(u_t, u_xx):
    return tf.square(u_t - 0.1 * u_xx)


OBJECTIVE = Objective(
    heat=FunctionTerm(
        fn=residual,
        keys_of={
            "u_t": "gradients.outputs.interior/inputs.interior.t",
            "u_xx": "gradients.outputs.interior/inputs.interior.x/inputs.interior.x",
        },
    ),
    start=FunctionTerm(
        fn=lambda u, wave: tf.square(u - wave), keys_of={"u": "outputs.start", "wave": "targets.start"}, weight=2.0
    ),
)


def by_hand(core):
    """The weights after some steps over all points, each by nested tapes."""
    x, t = (tf.constant(INTERIOR[name]) for name in ("x", "t"))
    for _ in range(STEPS):
        with tf.GradientTape() as tape:
            with tf.GradientTape() as second:
                second.watch(x)
                with tf.GradientTape(persistent=True) as first:
                    first.watch([x, t])
                    u = core(tf.concat([x, t], 1))
                u_x, u_t = first.gradient(u, x), first.gradient(u, t)
            u_xx = second.gradient(u_x, x)
            start = core(tf.concat([START["x"], START["t"]], 1))
            loss = tf.reduce_mean(residual(u_t, u_xx)) + 2.0 * tf.reduce_mean(tf.square(start - WAVE))
        for variable, gradient in zip(core.variables, tape.gradient(loss, core.variables), strict=True):
            variable.assign_sub(RATE * gradient)
    return core.get_weights()


@pytest.fixture
def train(tmp_path, replicas):
    def run(core, count=1, is_evaluated=False, **settings):
        source = MixedSource(interior=ArraySource(INTERIOR), start=ArraySource(START, WAVE), shares=SHARES)
        Trainer(
            model=field(core),
            objective=OBJECTIVE,
            optimizer=keras.optimizers.SGD(RATE),
            train=source,
            eval=source if is_evaluated else None,
            batch_size=36,
            steps=STEPS,
            log_every=1,
            strategy=replicas(count),
            reports=[JsonLines(tmp_path)],
            default_reports=False,
            **settings,
        ).train()
        return [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]

    return run


@pytest.mark.parametrize(
    "how",
    [
        {"execution": "graph", "count": 2, "accumulate_steps": 3},
        {"execution": "xla_loop"},
        pytest.param({"execution": "xla_step"}, marks=pytest.mark.slow),
        pytest.param({"execution": "xla_loop", "accumulate_steps": 3}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_run_is_the_loop_by_hand(train, how):
    core = network()
    train(core, **how)
    for found, expected in zip(core.get_weights(), by_hand(network()), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_run_that_was_stopped_resumes_to_the_same_weights(tmp_path):
    """With derivatives, and with random layers in the own pass and in a further one."""

    def trained(folder, **until):
        keras.utils.set_random_seed(3)
        layers = [keras.layers.Dense(8, "tanh"), keras.layers.Dropout(0.3), keras.layers.Dense(1)]
        trainer = Trainer(
            model=keras.Sequential([keras.Input([1]), *layers]),
            objective=Objective(
                flat=FunctionTerm(fn=tf.square, keys_of={"x": "gradients.outputs/inputs"}),
                same=FunctionTerm(fn=lambda model, inputs, outputs: tf.square(model(inputs) - outputs)),
            ),
            optimizer=keras.optimizers.Adam(RATE),
            train=ArraySource(INTERIOR["x"]),
            batch_size=8,
            steps=6,
            execution="graph",
            workdir=tmp_path / folder,
            default_reports=False,
        )
        trainer.train(**until)
        return trainer.model.get_weights()

    trained("parts", until=2)
    for found, expected in zip(trained("parts"), trained("whole"), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_an_evaluation_has_the_residual_of_every_point(train):
    core = network()
    lines = train(core, is_evaluated=True, eval_every=STEPS, execution="graph")
    x, t = (tf.constant(INTERIOR[name]) for name in ("x", "t"))
    with tf.GradientTape() as second:
        second.watch(x)
        with tf.GradientTape(persistent=True) as first:
            first.watch([x, t])
            u = core(tf.concat([x, t], 1))
        u_x, u_t = first.gradient(u, x), first.gradient(u, t)
    expected = np.mean(residual(u_t, second.gradient(u_x, x)))
    assert lines[-1]["split"] == "eval"
    np.testing.assert_allclose(lines[-1]["terms/heat/raw"], expected, rtol=1e-5)
