"""Own state: what layers write is never silently of a part of the batch."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, MeanSquaredError, Objective

PLAIN = Objective(data=MeanSquaredError())
SGD = keras.optimizers.SGD


class Centred(keras.layers.Layer):
    """Subtracts a moving mean of its own making."""

    def __init__(self, aggregation="none", **settings):
        super().__init__(**settings)
        self.aggregation = aggregation

    def build(self, shape):
        self.mean = self.add_weight(
            shape=shape[-1:], initializer="zeros", trainable=False, name="mean", aggregation=self.aggregation
        )

    def call(self, inputs, training=False):
        mean = tf.convert_to_tensor(self.mean)  # of the steps before, so that no example meets others of its batch
        if training:
            self.mean.assign(0.9 * self.mean + 0.1 * tf.reduce_mean(inputs, axis=0))
        return inputs - mean


class Bounded(keras.layers.Layer):
    """A scale that is bounded in each forward pass."""

    def build(self, shape):
        self.scale = self.add_weight(shape=shape[-1:], initializer="ones", name="scale")

    def call(self, inputs):
        self.scale.assign(tf.minimum(self.scale, 0.9))
        return inputs * self.scale


def spectral(**settings):
    return keras.layers.SpectralNormalization(keras.layers.Dense(4, **settings), name="spectral")


def test_statistics_of_a_layers_own_making_are_found_before_the_first_step(make_trainer, dense_model, replicas):
    trainer = make_trainer(model=dense_model(Centred), strategy=replicas(2))
    with pytest.raises(
        ConfigurationError, match="own layer writes 'centred.*/mean' in training, and batches are padded"
    ):
        trainer.dry_run()


def test_the_norm_of_a_weight_may_be_padded_and_replicated(make_trainer, dense_model, data, replicas):
    """And each step is that of Keras, which knows one replica."""
    model, keras_model = dense_model(spectral), dense_model(spectral)
    trainer = make_trainer(model=model, objective=PLAIN, strategy=replicas(2), batch_size=7, steps=2)
    trainer.train()
    keras_model.compile(SGD(0.1), "mse")
    for rows in trainer._run.program.data.train.indices(first_batch=0, steps=2, batch_size=7, seed=0):
        keras_model.train_on_batch(data["x"][rows], data["y"][rows])
    for own, expected in zip(model.get_weights(), keras_model.get_weights(), strict=True):
        np.testing.assert_allclose(own, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("make_layer", "weight"), [(spectral, "spectral/.*"), (lambda: spectral(trainable=False), ".*"), (Bounded, "scale")]
)
def test_weights_that_are_rewritten_are_not_accumulated_over(make_trainer, dense_model, make_layer, weight):
    trainer = make_trainer(model=dense_model(make_layer), objective=PLAIN, batch_size=8, accumulate_steps=2)
    answer = rf"a layer rewrites its weight '.*{weight}' .* 2 times a step, .* expected Trainer.accumulate_steps = 1"
    with pytest.raises(ConfigurationError, match=answer):
        trainer.dry_run()


def test_weights_that_each_replica_rewrites_are_refused(make_trainer, dense_model, replicas):
    make_trainer(model=dense_model(Bounded), objective=PLAIN, batch_size=8, steps=1).train()
    trainer = make_trainer(model=dense_model(Bounded), objective=PLAIN, strategy=replicas(2), batch_size=8)
    with pytest.raises(ConfigurationError, match=r"'.*scale' .* each of 2 replicas its own, .* expected a constraint"):
        trainer.dry_run()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, []),
        ({"accumulate_steps": 2}, ["'centred.*/mean' once in each of 2 micro-batches, not once a step"]),
        pytest.param(
            {"count": 2, "accumulate_steps": 2},
            [
                "'centred.*/mean' once in each of 2 micro-batches on 2 replicas",
                "'centred.*/mean' of each replica's part",
            ],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_run_says_which_state_is_of_a_part_of_the_batch(
    make_trainer, dense_model, recorder, replicas, settings, words
):
    settings = {"strategy": replicas(settings.get("count", 1)), **settings, "batch_size": 8, "steps": 1}
    settings.pop("count", None)
    make_trainer(model=dense_model(Centred), reports=[recorder], **settings).train()
    lines = [line for line in recorder.run.headline if line.startswith("layers write")]
    assert len(lines) == len(words)
    for line, expected in zip(lines, words, strict=True):
        assert re.search(expected, line)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("aggregation", "words"),
    [("mean", "take the mean"), ("sum", "take the sum"), ("only_first_replica", "take the value of the first")],
)
def test_a_run_says_what_tensorflow_makes_of_state_that_it_merges(
    make_trainer, dense_model, recorder, replicas, aggregation, words
):
    for count in (1, 2):
        settings = {"strategy": replicas(count), "batch_size": 8, "steps": 1, "reports": [recorder]}
        make_trainer(model=dense_model(lambda: Centred(aggregation, name="centred")), **settings).train()
        lines = [line for line in recorder.run.headline if line.startswith("layers write")]
        assert len(lines) == count - 1
    assert re.search(rf"'centred/mean' of each replica's part .* aggregation='{aggregation}', .* {words}", lines[0])


@pytest.mark.parametrize(
    "aggregation", ["mean", *(pytest.param(other, marks=pytest.mark.slow) for other in ("sum", "only_first_replica"))]
)
def test_one_replica_meets_nobody(make_trainer, dense_model, replicas, aggregation):
    """So that state with an aggregation is written in micro-batches as any other is."""

    def trained(how):
        model = dense_model(lambda: Centred(how, name="centred"))
        settings = {"objective": PLAIN, "strategy": replicas(1), "batch_size": 8, "accumulate_steps": 2, "steps": 3}
        make_trainer(model=model, **settings).train()
        return model.get_weights()

    assert all(map(np.array_equal, trained(aggregation), trained("none")))


@pytest.mark.slow
@pytest.mark.parametrize("aggregation", ["sum", *(other for other in ("mean", "only_first_replica"))])
def test_state_that_tensorflow_merges_stays_outside_of_loops_and_of_xla(
    make_trainer, dense_model, replicas, aggregation
):
    def make(**settings):
        model = dense_model(lambda: Centred(aggregation, name="centred"))
        return make_trainer(model=model, objective=PLAIN, strategy=replicas(2), batch_size=8, steps=1, **settings)

    with pytest.raises(
        ConfigurationError, match=r"test_own_state.py, line \d+: .*replicas cannot be synchronised.*'none'"
    ):
        make(accumulate_steps=2).dry_run()
    with pytest.raises(ConfigurationError, match="'centred/mean', with its aggregation='.*', sums over all .* 'graph'"):
        make(execution="xla_step").dry_run()
    trainer = make(execution="auto")
    trainer.train()
    assert trainer._run.program.stages.choice.execution == "graph"
