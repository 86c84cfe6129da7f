"""Placed: whoever holds the plain variable of a model reads and trains what lies on the replica at hand."""

import functools
import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import FunctionTerm, Objective
from trainer import ArraySource
from trainer.steps.groups import only_group
from trainer.steps.variables.adoption import Adoption

RATE = 0.1
STRATEGIES = {
    "another device": lambda: tf.distribute.OneDeviceStrategy("CPU:1"),
    "mirrored over another device": lambda: tf.distribute.MirroredStrategy(["CPU:1"]),
    "two replicas": lambda: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
    "two other devices": lambda: tf.distribute.MirroredStrategy(["CPU:2", "CPU:3"]),
}


@pytest.mark.parametrize("where", STRATEGIES)
def test_a_plain_variable_stands_for_the_part_of_each_replica_inside_alone(dense_model, where):
    strategy, model = STRATEGIES[where](), dense_model()
    kernel = model.get_layer("hidden").kernel
    plain, kind = kernel.value, type(kernel.value)
    adoption = Adoption(strategy, model, only_group(keras.optimizers.SGD(RATE), model))

    def on_replica():
        plain.assign_add(tf.ones(plain.shape))
        with tf.GradientTape() as tape:
            square = tf.reduce_sum(plain**2)
        return tape.gradient(square, kernel), 2 * kernel

    before = kernel.numpy()
    with adoption.at_work():
        results = strategy.run(tf.function(on_replica, autograph=False))
        for gradient, expected in zip(*map(strategy.experimental_local_results, results), strict=True):
            np.testing.assert_array_equal(gradient, expected)
        for part in strategy.experimental_local_results(kernel.value):
            np.testing.assert_array_equal(part, before + 1.0)
        np.testing.assert_array_equal(plain, before + 1.0)
    assert kernel.value is plain
    assert type(plain) is kind
    np.testing.assert_array_equal(plain, before + 1.0)


@pytest.mark.parametrize("where", ["here", *STRATEGIES])
def test_all_parts_are_trainable_inside_as_the_keras_variable_is(dense_model, where):
    here = functools.partial(tf.distribute.OneDeviceStrategy, "CPU:0")
    strategy, model = {"here": here, **STRATEGIES}[where](), dense_model()
    hidden, head = model.get_layer("hidden"), model.get_layer("head")
    plain = hidden.kernel.value
    adoption = Adoption(strategy, model, only_group(keras.optimizers.SGD(RATE), model))
    hidden.trainable = False
    with adoption.at_work():
        assert not any(part.trainable for part in (plain, *strategy.experimental_local_results(hidden.kernel.value)))
        assert all(part.trainable for part in strategy.experimental_local_results(head.kernel.value))
    assert plain.trainable
    hidden.trainable = True
    with adoption.at_work():
        assert all(part.trainable for part in (plain, *strategy.experimental_local_results(hidden.kernel.value)))


class Shifting(keras.layers.Layer):
    """Adds to its inputs the sum of a variable that a function finds in what the layer keeps."""

    def __init__(self, find, **kept):
        super().__init__(name="shifting")
        self.find = find
        for name, value in kept.items():
            setattr(self, name, value)

    def call(self, inputs):
        return inputs + 0.3 * tf.reduce_sum(self.find(self), axis=0)


def squares(y_true, y_pred, variable):
    return (y_true - y_pred) ** 2 * (1.0 + tf.reduce_sum(variable**2))


def in_term(take, make=lambda variable: functools.partial(squares, variable=variable)):
    return lambda hidden: (make(take(hidden)), [])


def in_layer(find, **make):
    return lambda hidden: (None, [Shifting(find, **{name: keep(hidden.kernel.value) for name, keep in make.items()})])


def by_function(**settings):
    def make(variable):
        square = tf.function(lambda: tf.reduce_sum(variable**2), **settings)
        square()
        return lambda y_true, y_pred: (y_true - y_pred) ** 2 * (1.0 + square())

    return make


def by_argument(variable):
    square = tf.function(lambda given: tf.reduce_sum(given**2))
    return lambda y_true, y_pred: (y_true - y_pred) ** 2 * (1.0 + square(variable))


def by_closure(variable):
    return lambda y_true, y_pred: squares(y_true, y_pred, variable)


def in_a_branch(variable):
    def fn(y_true, y_pred):
        return tf.cond(tf.reduce_sum(y_pred) > -1e9, lambda: squares(y_true, y_pred, variable), lambda: y_pred)

    return fn


def by_rows(variable):
    return lambda y_true, y_pred: squares(y_true, y_pred, tf.gather(variable, [0, 2]))


HELD = {
    "by a closure": in_term(lambda hidden: hidden.kernel.value, by_closure),
    "by a partial": in_term(lambda hidden: hidden.kernel.value),
    "by its private name": in_term(lambda hidden: hidden.kernel._value),
    "from a list of variables": in_term(lambda hidden: hidden.trainable_variables[0].value),
    "by rows": in_term(lambda hidden: hidden.kernel.value, by_rows),
    "in a branch": in_term(lambda hidden: hidden.kernel.value, in_a_branch),
    "by a tf.function": in_term(lambda hidden: hidden.kernel.value, by_function()),
    "by a compiled tf.function": in_term(lambda hidden: hidden.kernel.value, by_function(jit_compile=True)),
    "as an argument of a tf.function": in_term(lambda hidden: hidden.kernel.value, by_argument),
    "by a layer": in_layer(lambda layer: layer.kernel, kernel=lambda variable: variable),
    "in a list of a layer": in_layer(lambda layer: layer.kernels[0], kernels=lambda variable: [variable]),
    "in a dict of a layer": in_layer(lambda layer: layer.of["a"][0], of=lambda variable: {"a": (variable,)}),
}


@pytest.fixture
def build():
    """Makes the model and the function of the term that hold its kernel in some way, always of the same weights."""

    def make(held, trainable=True):
        keras.utils.set_random_seed(1)
        inputs, hidden = keras.Input([3]), keras.layers.Dense(4, activation="tanh", name="hidden")
        made = hidden(inputs)
        fn, layers = HELD[held](hidden)
        for layer in layers:
            made = layer(made)
        hidden.trainable = trainable
        model = keras.Model(inputs, keras.layers.Dense(2)(made))
        return model, fn or (lambda y_true, y_pred: (y_true - y_pred) ** 2)

    return make


def train_by_hand(model, fn, x, y, steps):
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(fn(y, model(x, training=True)))
        trained = model.trainable_variables
        for variable, slope in zip(trained, tape.gradient(loss, trained), strict=True):
            variable.assign(variable - RATE * slope)
    return float(tf.reduce_mean(fn(y, model(x))))


@pytest.fixture
def assert_trained_as_by_hand(make_trainer, data):
    """Trains a model over strategies and another one by hand: they evaluate the same and end with the same weights."""

    def check(build, where, execution="graph"):
        x, y = data["x"], data["y"]
        expected, by_hand = build()
        loss = train_by_hand(expected, by_hand, x, y, steps=2)
        model, fn = build()
        source = ArraySource(x, y)
        trainer = make_trainer(
            model=model,
            objective=Objective(data=FunctionTerm(fn=fn)),
            train=source,
            eval=source,
            strategy=STRATEGIES[where](),
            execution=execution,
            batch_size=len(x),
            steps=2,
        )
        assert trainer.train()["loss/total"] == pytest.approx(loss, rel=1e-5)
        for found, weight in zip(model.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_allclose(found, weight, rtol=0, atol=1e-6)

    return check


# How a variable is found depends on how it is held, and what is found on where replicas are: one way to hold it is
# tried everywhere, every way where the only replica has not the plain variable itself, so that a read of it shows, and
# one of each way to find it on several replicas and under XLA.
QUICK = [("by a closure", where, "graph") for where in ("another device", "two replicas")]
CASES = [
    *QUICK,
    *(("by a closure", where, "graph") for where in ("mirrored over another device", "two other devices")),
    *((held, "another device", "graph") for held in HELD if held != "by a closure"),
    *((held, "two other devices", "graph") for held in ("by a tf.function", "by a layer")),
    ("by a closure", "two replicas", "xla_step"),
    ("by a tf.function", "another device", "xla_step"),
    ("by a layer", "another device", "xla_loop"),
]


@pytest.mark.parametrize(
    ("held", "where", "execution"),
    [case if case in QUICK else pytest.param(*case, marks=pytest.mark.slow) for case in CASES],
)
def test_training_and_evaluation_are_those_of_a_plain_loop_however_a_variable_is_held(
    assert_trained_as_by_hand, build, held, where, execution
):
    assert_trained_as_by_hand(lambda: build(held), where, execution)


FROZEN = [
    ("by a closure", "another device"),
    ("by a closure", "two other devices"),
    *((held, "another device") for held in ("by a tf.function", "by a layer")),
]


@pytest.mark.parametrize(
    ("held", "where"),
    [FROZEN[0], *(pytest.param(*case, marks=pytest.mark.slow) for case in FROZEN[1:])],
)
def test_a_frozen_variable_stays_as_it_is_however_it_is_held(assert_trained_as_by_hand, build, held, where):
    assert_trained_as_by_hand(lambda: build(held, trainable=False), where)


@pytest.mark.parametrize("where", ["another device", pytest.param("two replicas", marks=pytest.mark.slow)])
def test_a_variable_that_is_read_before_the_layer_that_owns_it_is_called_is_the_models_own(
    assert_trained_as_by_hand, where
):
    def build():
        keras.utils.set_random_seed(1)
        inputs, hidden = keras.Input([3]), keras.layers.Dense(3, activation="tanh", name="hidden")
        hidden.build([None, 3])
        shifted = Shifting(lambda layer: layer.kernel, kernel=hidden.kernel.value)(inputs)
        model = keras.Model(inputs, keras.layers.Dense(2)(hidden(shifted)))
        return model, lambda y_true, y_pred: (y_true - y_pred) ** 2

    assert_trained_as_by_hand(build, where)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["another device", "two other devices"])
def test_a_statistic_and_an_average_are_those_of_the_keras_variable_itself(
    make_trainer, dense_model, plain_source, where
):
    """On replicas a plain loop is no measure: batch normalization takes its statistics of a replica's part."""

    def run(held):
        kernel_of, mean_of = {
            "plain": (lambda hidden: hidden.kernel.value, lambda norm: norm.moving_mean.value),
            "of Keras": (lambda hidden: hidden.kernel, lambda norm: norm.moving_mean),
        }[held]
        model = dense_model(keras.layers.BatchNormalization)
        kernel = kernel_of(model.layers[1])
        mean = mean_of(model.layers[2])

        def fn(y_true, y_pred):
            return (y_true - y_pred) ** 2 * (1.0 + tf.reduce_sum(kernel**2)) + tf.reduce_sum(tf.square(mean - 1.0))

        objective = Objective(data=FunctionTerm(fn=fn))
        settings = {"train": plain_source, "eval": plain_source, "strategy": STRATEGIES[where](), "batch_size": 10}
        trainer = make_trainer(
            model=model, objective=objective, average_momentum=0.5, gradients_every=5, log_every=5, **settings
        )
        return trainer.train(), model.get_weights()

    (values, weights), (expected_values, expected) = run("plain"), run("of Keras")
    assert values == expected_values
    for found, weight in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(found, weight)


class Compiled(keras.layers.Layer):
    """A layer whose call is a function of TensorFlow, and whose kernel is scaled by another such function."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=[shape[-1], 4], name="kernel")
        self.scaled = tf.function(lambda: tf.convert_to_tensor(self.kernel) * 0.5)

    @tf.function
    def call(self, inputs):
        return inputs @ self.scaled()


ORDERS = {
    "two replicas twice": ["two replicas", "two replicas"],
    "another device, mirrored and not": ["another device", "mirrored over another device"],
    "here and on another device": [None, "another device", None],
    "more and fewer devices": ["two replicas", "three replicas", None, "two other devices"],
}


OF_KERAS, PLAIN = (lambda variable: variable), (lambda variable: variable.value)
# The order that has most kinds of strategies is tried with both, and with earlier trainers that are kept or freed.
WAYS = [
    ("two replicas twice", PLAIN, True),
    ("another device, mirrored and not", OF_KERAS, True),
    ("here and on another device", PLAIN, False),
    ("more and fewer devices", PLAIN, True),
    ("more and fewer devices", OF_KERAS, False),
]


@pytest.mark.slow
@pytest.mark.parametrize(("order", "take", "is_kept"), WAYS)
def test_one_function_of_tensorflow_serves_the_trainers_of_a_model_in_turn(make_trainer, data, order, is_kept, take):
    """Whether the earlier trainers are kept or freed, each call reads the parts that are trained then."""
    x, y, kept = data["x"], data["y"], []

    def build():
        keras.utils.set_random_seed(1)
        inputs, layer = keras.Input([3]), Compiled()
        model = keras.Model(inputs, keras.layers.Dense(2)(layer(inputs)))
        kernel = take(layer.kernel)
        square = tf.function(lambda: tf.reduce_sum(kernel**2))
        return model, lambda y_true, y_pred: (y_true - y_pred) ** 2 * (1.0 + square())

    (expected, by_hand), (model, fn) = build(), build()
    made = {**STRATEGIES, "three replicas": lambda: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1", "CPU:2"])}
    made[None] = lambda: tf.distribute.MirroredStrategy(["CPU:0"])
    for where in ORDERS[order]:
        train_by_hand(expected, by_hand, x, y, steps=2)
        settings = {"train": ArraySource(x, y), "strategy": made[where](), "batch_size": len(x), "steps": 2}
        settings["optimizer"] = keras.optimizers.SGD(RATE)
        trainer = make_trainer(model=model, objective=Objective(data=FunctionTerm(fn=fn)), **settings)
        trainer.train()
        kept += [trainer] if is_kept else []
        del trainer
        gc.collect()
        for found, weight in zip(model.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_allclose(found, weight, rtol=0, atol=1e-6)


def test_the_parts_of_a_variable_serve_all_strategies_and_are_freed_with_it(dense_model):
    models = [dense_model()]
    plain = models[0].get_layer("hidden").kernel.value

    def parts(where, plain):
        adoption = Adoption(STRATEGIES[where](), models[0], only_group(keras.optimizers.SGD(RATE), models[0]))
        return next(placed.parts for placed in adoption.placed if placed.variable.value is plain)

    (other,) = parts("another device", plain)
    (first, second) = parts("two replicas", plain)
    assert first is plain
    assert second is other
    freed = weakref.ref(other)
    del plain, other, first, second
    assert freed() is not None
    models.clear()
    gc.collect()
    assert freed() is None


@pytest.mark.slow
def test_a_layer_that_an_earlier_trainer_left_frozen_is_trained_on_all_replicas(make_trainer, dense_model, data):
    def run(is_frozen_first):
        keras.utils.set_random_seed(1)
        model = dense_model()
        for is_trained in [False, True] if is_frozen_first else [True]:
            model.get_layer("hidden").trainable = is_trained
            strategy = STRATEGIES["two replicas"]()
            settings = {"optimizer": keras.optimizers.SGD(RATE if is_trained else 0.0), "strategy": strategy}
            make_trainer(model=model, train=ArraySource(data["x"], data["y"]), steps=2, **settings).train()
        return model.get_weights()

    for found, expected in zip(run(True), run(False), strict=True):
        np.testing.assert_array_equal(found, expected)
