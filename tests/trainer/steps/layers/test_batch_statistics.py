"""Batch statistics: what would make them wrong is refused with what would work."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource

PLAIN = Objective(data=MeanSquaredError())


class OwnNormalization(keras.layers.BatchNormalization):
    """A batch normalization by another name."""


def normalization(**settings):
    return lambda: keras.layers.BatchNormalization(name="norm", **settings)


REFUSED = {
    "padding": (normalization(), {"count": 2}, "batch_size is 7, which does not divide .* of 6 or 8"),
    "padded parts": (OwnNormalization, {"accumulate_steps": 3}, "into 3 micro-batches, .* of 6 or 9"),
    "fewer than replicas": (normalization(), {"count": 4, "batch_size": 3}, "padding must not .* batch_size of 4"),
    "padding over all": (normalization(synchronized=True), {"count": 2}, "layer 'norm' takes .* of 6 or 8"),
    "the whole in parts": (
        normalization(synchronized=True),
        {"batch_size": 8, "accumulate_steps": 2},
        r"layer 'norm' takes statistics of the whole batch .* expected accumulate_steps = 1, or synchronized=False",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_trainer_refuses_wrong_statistics(make_trainer, dense_model, replicas, case):
    layer, settings, answer = REFUSED[case]
    settings = {"strategy": replicas(settings.get("count", 1)), **settings}
    settings.pop("count", None)
    with pytest.raises(ConfigurationError, match=answer):
        make_trainer(model=dense_model(layer), **settings)


def test_a_layer_inside_of_another_model_is_found(make_trainer, dense_model, replicas):
    inner = dense_model(normalization())
    model = keras.Sequential([keras.Input([3]), inner])
    with pytest.raises(ConfigurationError, match="takes statistics of the batch"):
        make_trainer(model=model, objective=PLAIN, strategy=replicas(2))


def frozen():
    layer = keras.layers.BatchNormalization()
    layer.trainable = False
    return layer


def test_what_takes_no_statistics_of_the_batch_may_be_padded(make_trainer, dense_model, replicas):
    make_trainer(model=dense_model(frozen), strategy=replicas(2), steps=1).train()


@pytest.mark.parametrize("wrap", [lambda layer: layer, keras.layers.Bidirectional])
def test_states_that_pass_from_batch_to_batch_are_refused(make_trainer, wrap):
    memory = wrap(keras.layers.LSTM(2, stateful=True, name="memory"))
    model = keras.Sequential([keras.Input([2, 3], batch_size=4), memory])
    with pytest.raises(ConfigurationError, match=r"memory' is stateful.* no checkpoint .* expected stateful=False"):
        make_trainer(model=model, objective=PLAIN, train=ArraySource(np.zeros([8, 2, 3])), batch_size=4)


@pytest.mark.slow
def test_synchronized_statistics_are_those_of_one_replica(make_trainer, dense_model, recorder, replicas):
    totals = []
    for count in (1, 4):
        recorder.lines.clear()
        model = dense_model(normalization(synchronized=True))
        settings = {"batch_size": 8, "log_every": 1, "reports": [recorder], "steps": 3}
        make_trainer(model=model, strategy=replicas(count), **settings).train()
        totals.append(recorder.column("loss/total"))
        assert not [line for line in recorder.run.headline if "normalization" in line]
    assert totals[0] == pytest.approx(totals[1], rel=1e-5)


SLOW = [(1, "graph"), (4, "auto")]


@pytest.mark.parametrize(
    ("count", "execution"), [(2, "graph"), *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW)]
)
def test_synchronized_statistics_above_a_frozen_layer_are_those_of_a_plain_loop(
    make_trainer, dense_model, data, replicas, count, execution
):
    def build():
        model = dense_model(normalization(synchronized=True))
        model.get_layer("hidden").trainable = False
        return model

    x, y = data["x"], data["y"]
    expected, model = build(), build()
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((y - expected(x, training=True)) ** 2)
        trained = expected.trainable_variables
        for variable, slope in zip(trained, tape.gradient(loss, trained), strict=True):
            variable.assign(variable - 0.1 * slope)
    settings = {"strategy": replicas(count), "execution": execution, "batch_size": len(x), "steps": 2}
    make_trainer(model=model, objective=PLAIN, train=ArraySource(x, y), **settings).train()
    for found, weight in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(found, weight, rtol=0, atol=1e-6)


def test_xla_cannot_sum_statistics_over_replicas(make_trainer, dense_model, replicas):
    settings = {"strategy": replicas(2), "batch_size": 8}
    trainer = make_trainer(model=dense_model(normalization(synchronized=True)), execution="xla_step", **settings)
    with pytest.raises(ConfigurationError, match="the layer 'norm' sums over all replicas, which XLA cannot do"):
        trainer.dry_run()
    trainer = make_trainer(model=dense_model(normalization(synchronized=True)), execution="auto", **settings)
    assert trainer._run.program.stages.choice.execution == "graph"


@pytest.mark.parametrize(
    ("settings", "cut"),
    [
        ({"accumulate_steps": 2}, "each of 2 micro-batches by"),
        pytest.param({"count": 2}, "each of 2 replicas' parts by itself", marks=pytest.mark.slow),
    ],
)
def test_a_run_says_of_what_it_takes_statistics(make_trainer, dense_model, recorder, replicas, settings, cut):
    settings = {"strategy": replicas(settings.get("count", 1)), **settings, "batch_size": 8, "steps": 1}
    settings.pop("count", None)
    make_trainer(model=dense_model(normalization()), reports=[recorder], **settings).train()
    (line,) = (line for line in recorder.run.headline if "normalization" in line)
    assert cut in line
    assert ("moving statistics are updated with each micro-batch" in line) == ("accumulate_steps" in settings)


def test_evaluation_may_be_padded(make_trainer, dense_model, data, replicas):
    source = ArraySource(data["x"], data["y"])
    values = [
        make_trainer(model=dense_model(normalization()), eval=source, strategy=replicas(count), batch_size=6).evaluate()
        for count in (1, 2)
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-5)
    assert np.isfinite(values[0]["loss/total"])
