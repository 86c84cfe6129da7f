"""Random streams: what is drawn follows from the seed, the step and the replica, whatever ran before."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import FunctionTerm, MeanSquaredError, Objective
from trainer import ArraySource
from trainer.steps.random_streams import _MODULUS, _REPLICA, _STEP

WIDTH, ROWS, SEED = 40, 4, 3


def dropped(step, replica, rows, call=0):
    """Ones of which TensorFlow drops half, for the first generator of a model."""
    seed = [(SEED + _REPLICA * replica) % _MODULUS, (_STEP * step + call) % _MODULUS]
    return tf.nn.experimental.stateless_dropout(tf.ones([rows, WIDTH]), rate=0.5, seed=seed).numpy()


def kernel_after(cuts):
    """The kernel of `make_run` in NumPy; step by step on how many replicas, in how many micro-batches."""
    kernel = np.ones(WIDTH)
    for step, (replicas, parts) in enumerate(cuts):
        rows = ROWS // replicas // parts
        masks = [dropped(step, r, rows, call) for r in range(replicas) for call in range(parts)]
        kernel -= np.concatenate(masks).mean(axis=0)
    return kernel


@pytest.fixture
def make_run(make_trainer, replicas):
    """Makes a trainer whose every update subtracts the mean of what Dropout left of rows of ones; and its kernel."""

    def make(count=1, seed=SEED, **settings):
        model = keras.Sequential(
            [
                keras.Input([WIDTH]),
                keras.layers.Dropout(0.5, seed=seed),
                keras.layers.Dense(1, use_bias=False, kernel_initializer="ones"),
            ]
        )
        objective = Objective(mean=FunctionTerm(fn=lambda outputs: outputs))
        settings = {"batch_size": ROWS, "optimizer": keras.optimizers.SGD(1.0), **settings}
        train = ArraySource(np.ones([ROWS, WIDTH], np.float32))
        trainer = make_trainer(model=model, objective=objective, train=train, strategy=replicas(count), **settings)
        return trainer, lambda: model.layers[-1].kernel.numpy()[:, 0]

    return make


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "parts"),
    [
        (1, 1),
        (2, 1),
        (4, 1),
        (2, 2),
    ],
)
def test_every_step_replica_and_micro_batch_has_draws_of_its_own(make_run, count, parts):
    trainer, kernel = make_run(count, accumulate_steps=parts, steps=3)
    trainer.train()
    np.testing.assert_allclose(kernel(), kernel_after([(count, parts)] * 3), atol=1e-6)


@pytest.mark.slow
def test_a_resumed_run_draws_what_it_would_have_over_any_number_of_replicas(make_run, tmp_path):
    for count, until in ((1, 1), (2, 2), (4, 4)):
        # Who builds the model anew may well build it with other seeds: those of the checkpoint count.
        trainer, kernel = make_run(count, seed=SEED * count, steps=4, workdir=tmp_path / "run")
        trainer.train(until=until)
    np.testing.assert_allclose(kernel(), kernel_after([(1, 1), (2, 1), (4, 1), (4, 1)]), atol=1e-6)


def test_nothing_that_looks_or_evaluates_moves_what_training_draws(make_run):
    trainer, kernel = make_run(2, steps=2)
    trainer.train(until=1)
    program = trainer._run.program
    program.term_gradients(1)
    trainer.dry_run()
    trainer.train()
    np.testing.assert_allclose(kernel(), kernel_after([(2, 1)] * 2), atol=1e-6)


def test_an_evaluation_is_a_function_of_the_step(make_trainer, dense_model, noisy, plain_source):
    trainer = make_trainer(model=dense_model(noisy), eval=plain_source, steps=2)
    first = trainer._run.program.evaluator.evaluate(0)
    assert trainer._run.program.evaluator.evaluate(1) != first
    assert trainer._run.program.evaluator.evaluate(0) == first


def test_the_draws_of_a_million_steps_lie_far_apart():
    starts = np.sort(_STEP * np.arange(10**6) % _MODULUS)
    assert np.diff(starts).min() == 1824


def losses(make_trainer, recorder, make_model, data, **settings):
    recorder.lines.clear()
    keras.utils.set_random_seed(0)
    objective = Objective(data=MeanSquaredError())
    settings = {"objective": objective, "train": data, "log_every": 1, "steps": 3, "reports": [recorder], **settings}
    make_trainer(model=make_model(), **settings).train()
    return recorder.column("loss/total")


def dense():
    layers = keras.layers
    between = [layers.Dropout(0.4), layers.GaussianNoise(0.3), layers.GaussianDropout(0.3), layers.AlphaDropout(0.3)]
    return keras.Sequential([keras.Input([3]), layers.Dense(8, activation="tanh"), *between, layers.Dense(2)])


def recurrent():
    return keras.Sequential(
        [
            keras.Input([4, 3]),
            keras.layers.LSTM(5, dropout=0.4, recurrent_dropout=0.3),
            keras.layers.Dense(2),
        ]
    )


def pictures():
    return keras.Sequential(
        [
            keras.Input([6, 6, 1]),
            keras.layers.RandomFlip(),
            keras.layers.RandomBrightness(0.3, value_range=(-1, 1)),
            keras.layers.SpatialDropout2D(0.5),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make_model", "shape", "compiled"),
    [
        (dense, [3], ["xla_step", "xla_loop"]),
        # A loop compiles the very step: what layers draw is seen in either, and these take long to compile.
        (recurrent, [4, 3], ["xla_loop"]),
        (pictures, [6, 6, 1], ["xla_loop"]),
    ],
)
def test_all_executions_draw_the_same(make_trainer, recorder, make_model, shape, compiled):
    rng = np.random.default_rng(0)
    data = ArraySource(np.float32(rng.normal(size=[20, *shape])), np.float32(rng.normal(size=[20, 2])))
    expected = losses(make_trainer, recorder, make_model, data, execution="graph")
    assert len(set(np.round(expected, 3))) == 3
    for execution in compiled:
        found = losses(make_trainer, recorder, make_model, data, execution=execution)
        assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_both_executions_of_two_replicas_draw_the_same(make_trainer, recorder, replicas):
    rng = np.random.default_rng(0)
    data = ArraySource(np.float32(rng.normal(size=[20, 3])), np.float32(rng.normal(size=[20, 2])))
    found = [
        losses(make_trainer, recorder, dense, data, strategy=replicas(2), execution=execution, batch_size=6)
        for execution in ("graph", "xla_step")
    ]
    assert found[1] == pytest.approx(found[0], rel=1e-5)
