"""Precision: half-precision layers, sums in float32, and a loss scale that sees every replica."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, Objective
from trainer import ArraySource
from trainer.steps.precision import building_in

SCALE = 2.0**15


@pytest.fixture
def half_trainer(make_trainer, dense_model):
    """Makes a trainer whose model computes in half precision, float16 unless said."""

    def make(precision="mixed_float16", **settings):
        with building_in(precision):
            model = dense_model()
        return make_trainer(model=model, precision=precision, **settings)

    return make


@pytest.fixture
def source_of(data):
    """The first 6 examples in their order, some of whose inputs are made infinite."""

    def make(infinite=(), size=6):
        x = data["x"][:size].copy()
        x[list(infinite)] = np.inf
        return ArraySource(x, data["y"][:size], shuffle=False)

    return make


# Which precision


def test_a_precision_holds_while_a_model_is_built_and_no_longer(dense_model):
    with building_in("mixed_bfloat16"):
        model = dense_model()
    assert model.get_layer("hidden").compute_dtype == "bfloat16"
    assert dense_model().get_layer("hidden").compute_dtype == "float32"


def test_a_wrong_name_is_refused(make_trainer):
    with pytest.raises(ConfigurationError, match="Trainer.precision is 'mixed_float61'; did you mean 'mixed_float16'"):
        make_trainer(precision="mixed_float61")
    with pytest.raises(ConfigurationError, match="known: float32"), building_in("half"):
        pass


def test_a_model_built_in_another_precision_is_refused(make_trainer, dense_model):
    with pytest.raises(ConfigurationError, match="'mixed_float16', and the model was built with float32"):
        make_trainer(precision="mixed_float16")
    with building_in("mixed_bfloat16"):
        model = dense_model()
    with pytest.raises(ConfigurationError, match="'float32', and the model was built with mixed_bfloat16"):
        make_trainer(model=model)


def test_single_layers_may_stay_in_float32(make_trainer, dense_model):
    with building_in("mixed_bfloat16"):
        model = dense_model(lambda: keras.layers.Dense(4, dtype="float32"))
    assert make_trainer(model=model, precision="mixed_bfloat16").train()["loss/total"] > 0


# What stays in float32


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_terms_add_up_in_float32(half_trainer, precision):
    # Neither half precision counts 4,097 ones.
    source = ArraySource(np.zeros([4097, 3]), np.zeros([4097, 2]))
    objective = Objective(output=FunctionTerm(fn=lambda outputs: outputs))
    trainer = half_trainer(precision, objective=objective, train=source, eval=source, batch_size=4097)
    trainer.model.set_weights([np.float32(np.full(w.shape, w.ndim == 1)) for w in trainer.model.get_weights()])
    expected = np.float32(trainer.model(np.zeros([1, 3])))[0].mean()  # the same for all examples
    assert trainer.evaluate()["terms/output/raw"] == pytest.approx(expected, rel=1e-6)


def test_weights_stay_in_float32_and_learn(half_trainer):
    trainer = half_trainer("mixed_bfloat16", steps=30)
    assert trainer.dry_run()["loss/total"] > 1.2 * trainer.train()["loss/total"]
    assert {w.dtype for w in trainer.model.get_weights()} == {np.dtype(np.float32)}


# The loss scale


@pytest.mark.parametrize(("size", "overflows"), [pytest.param(1.0, False, marks=pytest.mark.slow), (300.0, True)])
def test_ten_steps_are_those_of_the_loss_scale_of_keras(half_trainer, dense_model, data, recorder, size, overflows):
    x, y = data["x"][:7], size * data["y"][:7]
    source = ArraySource(x, y, shuffle=False)
    objective = Objective(data=FunctionTerm(fn=lambda y_true, y_pred: tf.square(y_pred - y_true)))
    settings = {"objective": objective, "train": source, "optimizer": keras.optimizers.Adam(0.01)}
    trainer = half_trainer(steps=10, log_every=1, reports=[recorder], **settings)
    trainer.train()
    with building_in("mixed_float16"):
        model = dense_model()
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01))
    optimizer.build(model.trainable_variables)

    @tf.function(autograph=False)  # a graph fuses operations, and rounds less often in between
    def plain_step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.cast(model(x), tf.float32) - y))
            scaled = optimizer.scale_loss(loss)
        optimizer.apply(tape.gradient(scaled, model.trainable_variables), model.trainable_variables)

    scales = []
    for _ in range(10):
        scales.append(float(optimizer.dynamic_scale))
        plain_step()
    assert recorder.column("optimizer/loss_scale") == scales
    assert (scales[-1] < SCALE) == overflows
    for found, expected in zip(trainer.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_scale_changes_no_gradient_that_fits(half_trainer):
    rows = [half_trainer()._run.program.train(first_step=0, steps=1)[0]]
    trainer = half_trainer()
    trainer._run.program.step.loss_scale.factor.assign(2.0)
    rows.append(trainer._run.program.train(first_step=0, steps=1)[0])
    assert rows[0][-1] == pytest.approx(rows[1][-1], rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "parts"), [(1, 1), (3, 1), (3, 2)])
def test_a_gradient_that_is_infinite_on_one_replica_is_left_out_on_all(
    half_trainer, source_of, replicas, recorder, count, parts
):
    source, strategy = source_of(infinite=[5]), replicas(count)
    settings = {"batch_size": 3, "log_every": 1, "reports": [recorder]}
    cut = {"accumulate_steps": parts, "strategy": strategy}
    trainer = half_trainer(train=source, optimizer=keras.optimizers.Adam(0.05), steps=3, **cut, **settings)
    history = [trainer.model.get_weights()]
    for step in (1, 2, 3):
        trainer.train(until=step)
        history.append(trainer.model.get_weights())
    assert recorder.column("optimizer/loss_scale") == [SCALE, SCALE, SCALE / 2]  # example 5 is in the second batch
    assert trainer.optimizer.iterations.numpy() == 2
    pairs = itertools.pairwise(history)
    changed = [any(np.any(a != b) for a, b in zip(*pair, strict=True)) for pair in pairs]
    assert changed == [True, False, True]
    for variable in trainer.model.trainable_variables:
        first, *others = strategy.experimental_local_results(variable.value)
        for other in others:
            np.testing.assert_array_equal(other, first)


def test_the_scale_doubles_after_many_good_steps(half_trainer):
    scale = half_trainer()._run.program.step.loss_scale
    scale.variables[1].assign(1998)
    scale.update(tf.constant(True))
    assert scale.factor.numpy() == SCALE
    scale.update(tf.constant(True))
    assert [variable.numpy() for variable in scale.variables] == [2 * SCALE, 0]
    scale.update(tf.constant(False))
    assert scale.factor.numpy() == SCALE


def test_the_scale_never_falls_below_1(half_trainer):
    scale = half_trainer()._run.program.step.loss_scale
    for _ in range(20):
        scale.update(tf.constant(False))
    assert scale.factor.numpy() == 1.0


def test_a_resumed_run_has_its_loss_scale(half_trainer, source_of, recorder, tmp_path):
    settings = {"train": source_of(infinite=[0]), "batch_size": 6, "log_every": 1, "workdir": tmp_path}
    half_trainer(steps=3, **settings).train()
    half_trainer(steps=5, reports=[recorder], **settings).train()
    assert recorder.column("optimizer/loss_scale") == [SCALE / 8, SCALE / 16]


@pytest.mark.slow
def test_both_executions_leave_out_the_same_steps(half_trainer, source_of):
    rows, weights = {}, {}
    for execution in ("graph", "xla_loop"):
        trainer = half_trainer(train=source_of(infinite=[5]), batch_size=3, execution=execution)
        program = trainer._run.program
        rows[execution] = dict(zip(program.tags, program.train(first_step=0, steps=5).T, strict=True))
        weights[execution] = trainer.model.get_weights()
    graph, xla = rows["graph"], rows["xla_loop"]
    np.testing.assert_array_equal(xla["optimizer/loss_scale"], [SCALE, SCALE, SCALE / 2, SCALE / 2, SCALE / 4])
    np.testing.assert_array_equal(graph["optimizer/loss_scale"], xla["optimizer/loss_scale"])
    np.testing.assert_allclose(graph["loss/total"], xla["loss/total"], rtol=1e-2)
    for found, expected in zip(weights["xla_loop"], weights["graph"], strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_unscaled_gradients_are_clipped(half_trainer, data):
    trainer = half_trainer(optimizer=keras.optimizers.SGD(1.0), clip_norm=0.01, steps=1)
    before = np.concatenate([w.ravel() for w in trainer.model.get_weights()])
    trainer.train()
    after = np.concatenate([w.ravel() for w in trainer.model.get_weights()])
    assert np.linalg.norm(after - before) == pytest.approx(0.01, rel=1e-4)
