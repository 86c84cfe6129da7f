"""Layer state: what layers write themselves is one value on all replicas: one model is evaluated and handed back."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import MeanSquaredError, Objective
from trainer import ArraySource
from trainer.steps.layers.layer_state import LayerState
from trainer.steps.replicas import sum_over_replicas

MOMENTUM, RATE = 0.7, 0.1


class Counter(keras.layers.Layer):
    """Hands on what it gets; counts calls and positive first inputs, in whole numbers, and whether there were any."""

    def build(self, shape):
        self.calls = self.add_weight(shape=(), dtype="int32", trainable=False, initializer="zeros", name="calls")
        self.positive = self.add_weight(shape=(), dtype="int64", trainable=False, initializer="zeros", name="positive")
        self.any = self.add_weight(shape=(), dtype="bool", trainable=False, initializer="zeros", name="any")

    def call(self, inputs):
        positive = tf.reduce_sum(tf.cast(inputs[:, 0] > 0, tf.int64))
        self.calls.assign_add(1)
        self.positive.assign_add(positive)
        self.any.assign(positive > 2)
        return inputs


@pytest.fixture
def normalising(make_trainer, data, replicas):
    """A trainer of a batch normalization, a frozen one and a counter; its model and its source."""

    def make(count, **settings):
        keras.utils.set_random_seed(0)
        frozen = keras.layers.BatchNormalization(name="frozen")
        frozen.trainable = False
        layers = [
            keras.layers.BatchNormalization(momentum=MOMENTUM, name="norm"),
            frozen,
            Counter(name="counter"),
            keras.layers.Dense(2),
        ]
        model = keras.Sequential([keras.Input([3]), *layers])
        source = ArraySource(data["x"], data["y"])
        settings = {"objective": Objective(data=MeanSquaredError()), "batch_size": 12, "steps": 3, **settings}
        trainer = make_trainer(model=model, train=source, eval=source, strategy=replicas(count), **settings)
        return trainer, model, source

    return make


def moving_statistics(source, x, count, parts=1):
    """Those of three steps in NumPy: each replica's own, of one part after the other, averaged after each step."""
    mean, variance = np.zeros(3), np.ones(3)
    for batch in source.indices(first_batch=0, steps=3, batch_size=12, seed=0):
        own = []
        for share in np.split(np.float64(x[batch]), count):
            m, v = mean, variance
            for part in np.split(share, parts):
                m, v = (
                    MOMENTUM * m + (1 - MOMENTUM) * part.mean(axis=0),
                    MOMENTUM * v + (1 - MOMENTUM) * part.var(axis=0),
                )
            own.append((m, v))
        mean, variance = np.mean(own, axis=0)
    return mean, variance


@pytest.mark.parametrize(("count", "parts"), [(2, 1), pytest.param(3, 2, marks=pytest.mark.slow)])
def test_moving_statistics_are_averaged_over_replicas_at_each_step(normalising, data, count, parts):
    trainer, model, source = normalising(count, accumulate_steps=parts)
    reported = trainer.train()
    norm, frozen = model.get_layer("norm"), model.get_layer("frozen")
    expected = moving_statistics(source, data["x"], count, parts)
    np.testing.assert_allclose(norm.moving_mean.numpy(), expected[0], atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance.numpy(), expected[1], atol=1e-6)
    # What was evaluated is the model that is handed back.
    error = np.mean((model(data["x"], training=False).numpy() - data["y"]) ** 2)
    assert reported["loss/total"] == pytest.approx(error, rel=1e-5)
    np.testing.assert_array_equal(frozen.moving_mean.numpy(), np.zeros(3))
    np.testing.assert_array_equal(frozen.moving_variance.numpy(), np.ones(3))


@pytest.mark.slow
def test_whole_numbers_and_truths_are_those_of_the_first_replica(normalising, data):
    """Also after an evaluation, in which the layer would count on."""
    trainer, model, _source = normalising(2)
    trainer.train()
    counter = model.get_layer("counter")
    assert int(counter.calls.numpy()) == 3
    with trainer._run.program.step.adoption.at_work():
        for variable in (counter.calls, counter.positive, counter.any):
            first, second = variable.value.values
            assert first.numpy() == second.numpy()


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings", [{"execution": "xla_step"}, {"optimizer": keras.optimizers.Adam, "clip_norm": 0.1}]
)
def test_replicas_stay_alike_in_any_execution(normalising, data, settings):
    settings = {name: value() if callable(value) else value for name, value in settings.items()}
    trainer, model, source = normalising(2, **settings)
    trainer.train()
    expected = moving_statistics(source, data["x"], 2)
    np.testing.assert_allclose(model.get_layer("norm").moving_mean.numpy(), expected[0], atol=1e-6)
    with trainer._run.program.step.adoption.at_work():
        for variable in model.variables:
            first, second = variable.value.values
            np.testing.assert_array_equal(first, second)


def test_one_replica_has_nothing_to_bring_together(normalising):
    trainer, _, _ = normalising(1)
    trainer.dry_run()
    graph = trainer._run.program.stages.widest.builder.traced.graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    # Two moving statistics and one of the counter, a kernel, a bias and the optimizer's number of steps.
    assert sum(node.op == "AssignVariableOp" for node in nodes) == 6


def test_evaluation_puts_back_what_replicas_sum(make_trainer, plain_source, replicas):
    class Growing(keras.layers.Layer):
        def build(self, shape):
            settings = {"trainable": False, "initializer": "ones", "aggregation": "sum"}
            self.factor = self.add_weight(shape=(), name="factor", **settings)

        def call(self, inputs):
            self.factor.assign(1.5 * self.factor)
            return inputs

    layer = Growing()
    model = keras.Sequential([keras.Input([3]), layer, keras.layers.Dense(2)])
    objective = Objective(data=MeanSquaredError())
    make_trainer(model=model, objective=objective, eval=plain_source, strategy=replicas(2), batch_size=8).evaluate()
    assert float(layer.factor.numpy()) == 1.0


def test_an_eager_pass_is_put_back_too(dense_model):
    model = dense_model(lambda: keras.layers.BatchNormalization(name="norm"))
    before = model.get_weights()
    with LayerState(model).put_back():
        model(np.ones([4, 3]), training=True)
        assert not np.array_equal(model.get_layer("norm").moving_variance, before[5])
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_shard_without_examples_has_no_share_in_statistics(dense_model, replicas):
    strategy = replicas(2)
    with strategy.scope():
        model = dense_model(lambda: keras.layers.BatchNormalization(name="norm"))
    mean = model.get_layer("norm").moving_mean

    @tf.function(input_signature=[tf.TensorSpec([None, 3])])
    def run(x):
        def on_replica():
            number = tf.distribute.get_replica_context().replica_id_in_sync_group
            layers = LayerState(model)
            mean.assign(tf.fill([4], tf.where(number == 0, 7.0, float("nan"))))
            layers.average(sum_over_replicas(layers.shares(x[: tf.where(number == 0, 5, 0)])))

        strategy.run(on_replica)

    run(np.ones([5, 3], np.float32))
    np.testing.assert_array_equal(mean.numpy(), np.full(4, 7.0))
