"""Untracked: what a step writes or draws outside of the trainer's state is named before the first step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, MeanSquaredError, Objective
from trainer import ArraySource

PLAIN = Objective(data=MeanSquaredError())


class Own(keras.layers.Layer):
    """Calls a function with itself, its inputs and whether it trains."""

    def __init__(self, function, **attributes):
        super().__init__(name="own")
        self.function = function
        for name, value in attributes.items():
            setattr(self, name, value)

    def call(self, inputs, training=False):
        return self.function(self, inputs, training)


def own(function, **attributes):
    return lambda: Own(function, **{name: make() for name, make in attributes.items()})


def counting(layer, inputs, training):
    if training:
        layer.count.assign_add(1.0)
    return inputs


def in_a_loop(layer, inputs, training):
    return tf.while_loop(lambda i, _: i < 2, lambda i, x: (i + 1, counting(layer, x, training)), [0, inputs])[1]


def judging(layer, inputs, training):
    if not training:
        layer.metric.update_state(inputs)
    return inputs


def closed_over():
    outside = keras.layers.BatchNormalization(scale=False, center=False, name="outside")
    return own(lambda layer, inputs, training: outside(inputs, training=training))()


def count():
    return tf.Variable(0.0, trainable=False, name="count")


def table():
    return tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, 0.0)


def inserting(layer, inputs, training):
    layer.table.insert(tf.constant([1], tf.int64), tf.constant([1.0]))
    return inputs


def generating(layer, inputs, training):
    return inputs + layer.generator.normal([4])


HERE = r"tests/trainer/steps/variables/test_untracked.py, line \d+"
ADD_WEIGHT = r"which no checkpoint would contain .* expected .* self.add_weight\(trainable=False\)"
SEED_GENERATOR = "expected keras.random with seed=self.seed_generator"
WRITTEN = {
    "a variable of TensorFlow": (
        own(counting, count=count),
        rf"a step of training writes the variable 'count' \(\) of the layer 'own' \(Own.count\) at {HERE}, which "
        rf"no checkpoint would contain .* expected .* self.add_weight",
    ),
    "in a loop": (own(in_a_loop, count=count), rf"variable 'count' .* at {HERE}"),
    "in a dict": (own(counting, count=count, kept=dict), rf"variable 'count' .* at {HERE}"),
    "a metric": (
        own(judging, metric=lambda: keras.metrics.Mean(name="mean")),
        rf"evaluation writes the variable 'mean/total' \(\) of the layer 'own' \(Own.metric\) at {HERE}, {ADD_WEIGHT}",
    ),
    "a layer of nobody": (
        closed_over,
        rf"variable '.*outside/moving_mean' \(4,\) of a layer outside of the model, '.*outside' .* at {HERE}, ",
    ),
    "a table": (own(inserting, table=table), rf"training writes a resource by LookupTableInsertV2 at {HERE}, "),
    "a generator of TensorFlow": (
        own(generating, generator=lambda: tf.random.Generator.from_seed(1)),
        rf"random generator 'StateVar' \(3,\) of the layer 'own' \(Own.generator\) at {HERE}, .* {SEED_GENERATOR}",
    ),
}


@pytest.mark.parametrize(
    "case",
    [case if case == "in a loop" else pytest.param(case, marks=pytest.mark.slow) for case in WRITTEN],
)
def test_what_is_written_is_named_with_its_layer_and_line(make_trainer, dense_model, plain_source, case):
    make_layer, answer = WRITTEN[case]
    trainer = make_trainer(model=dense_model(make_layer), objective=PLAIN, eval=plain_source, execution="graph")
    with pytest.raises(ConfigurationError, match=answer):
        trainer.train()


def noise(x):
    return x + tf.random.normal([4])


def branching(layer, inputs, training):
    return tf.cond(tf.reduce_sum(inputs) > 0, lambda: noise(inputs), lambda: inputs)


DRAWN = {
    "noise in a branch": (own(branching), "a step of training draws from TensorFlow's RandomStandardNormal"),
    "dropout of TensorFlow": (
        own(lambda _, inputs, training: tf.nn.dropout(inputs, 0.5, seed=3) if training else inputs),
        "a step of training draws from TensorFlow's RandomUniform",
    ),
    "in evaluation": (
        own(lambda _, inputs, training: inputs if training else tf.random.shuffle(inputs)),
        # A step in parts counts beforehand as evaluation does.
        "(evaluation|a step of training) draws from TensorFlow's RandomShuffle",
    ),
}


@pytest.mark.parametrize("case", DRAWN)
@pytest.mark.parametrize("settings", [{}, pytest.param({"accumulate_steps": 2}, marks=pytest.mark.slow)], ids=str)
def test_draws_by_the_state_of_an_operation_are_refused(make_trainer, dense_model, plain_source, case, settings):
    make_layer, answer = DRAWN[case]
    trainer = make_trainer(model=dense_model(make_layer), objective=PLAIN, eval=plain_source, **settings)
    with pytest.raises(ConfigurationError, match=rf"{answer} at {HERE}, .* {SEED_GENERATOR}"):
        trainer.train()


@pytest.mark.slow
def test_they_are_refused_on_replicas_and_under_xla(make_trainer, dense_model, replicas):
    drawn, written = DRAWN["noise in a branch"], WRITTEN["in a loop"]
    # All refusals are of one step that was traced: a case in each execution, and each kind of case compiled.
    for (make_layer, answer), execution in ((drawn, "graph"), (written, "xla_step"), (drawn, "auto")):
        trainer = make_trainer(
            model=dense_model(make_layer), objective=PLAIN, strategy=replicas(2), execution=execution
        )
        with pytest.raises(ConfigurationError, match=answer):
            trainer.train()


def test_random_numbers_of_a_term_need_a_seed_that_is_resumed(make_trainer):
    generator = keras.random.SeedGenerator(3)

    def drawing(make_seed):
        def fn(y_true, y_pred):
            return (y_pred + keras.random.normal(tf.shape(y_pred), seed=make_seed()) - y_true) ** 2

        return Objective(data=FunctionTerm(fn=fn))

    answer = rf"writes the random generator 'seed_generator.*' \(2,\) at {HERE}, .* {SEED_GENERATOR}.*the key 'update'"
    with pytest.raises(ConfigurationError, match=answer):
        make_trainer(objective=drawing(lambda: generator)).dry_run()
    answer = rf"term 'data' \(FunctionTerm\): {HERE}: ValueError: keras.random draws without a seed .*the key 'update'"
    with pytest.raises(ConfigurationError, match=answer):
        make_trainer(objective=drawing(lambda: None)).dry_run()


def test_a_layer_that_draws_without_a_seed_is_named(make_trainer, dense_model):
    layer = own(lambda _, inputs, training: inputs + keras.random.gamma([4], 1.0) if training else inputs)
    answer = (
        rf"the model '.*': {HERE}: ValueError: .* calling Own.call\(\). keras.random draws without a seed .* __init__"
    )
    with pytest.raises(ConfigurationError, match=answer):
        make_trainer(model=dense_model(layer), objective=PLAIN).dry_run()


@pytest.mark.slow
def test_what_the_model_owns_may_write_and_draw(make_trainer, dense_model, replicas):
    """Also what it reads of tables, what it compiled and does not call, and what is seeded by the step."""

    class Nested(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.parts = {"norm": [keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]}
            self.table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([0], [1]), 0)
            self.noise = keras.layers.GaussianNoise(0.1)

        def call(self, inputs, training=False):
            for layer in self.parts["norm"]:
                inputs = layer(inputs, training=training)
            return self.noise(inputs, training=training) + tf.cast(
                self.table.lookup(tf.cast(inputs[:, :1], tf.int32)), tf.float32
            )

    def noisy(y_true, y_pred, step):
        return (y_pred + tf.random.stateless_normal(tf.shape(y_pred), [7, tf.cast(step, tf.int32)]) - y_true) ** 2

    model = dense_model(Nested)
    model.compile(keras.optimizers.Adam(), "mse", metrics=["mae"])
    rng = np.random.default_rng(0)
    source = ArraySource(rng.normal(size=(8, 3)).astype("float32"), rng.normal(size=(8, 2)).astype("float32"))
    make_trainer(
        model=model,
        objective=Objective(data=FunctionTerm(fn=noisy)),
        train=source,
        eval=source,
        strategy=replicas(2),
        batch_size=4,
        steps=1,
        gradients_every=1,
        log_every=1,
        optimizer=keras.optimizers.Adam(),
        average_momentum=0.9,
    ).train()
