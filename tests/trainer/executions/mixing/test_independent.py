"""Independent: what is known to take each example by itself does so, and whatever might not is not among it."""

import inspect

import keras
import numpy as np
import pytest

from objectives import FunctionTerm, KerasLoss, MeanSquaredError, RangeHinge
from trainer.executions.mixing import independent
from trainer.executions.mixing.independent import are_independent

layers = keras.layers


def model_of(shape, *between):
    return keras.Sequential([keras.Input(shape), *between])


KNOWN = {
    "dense": lambda: model_of([4], layers.Dense(3, "softmax"), layers.Dropout(0.5), layers.BatchNormalization()),
    "pictures": lambda: model_of(
        [8, 8, 1], layers.Conv2D(2, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(1)
    ),
    "sequences": lambda: model_of(
        [5], layers.Embedding(9, 4, mask_zero=True), layers.Bidirectional(layers.LSTM(3)), layers.Dense(2)
    ),
    "nested": lambda: model_of([4], model_of([4], layers.Dense(3)), layers.Activation("tanh")),
}
UNKNOWN = {
    "an axis of its own": lambda: layers.UnitNormalization(axis=0),
    "a softmax over the batch": lambda: layers.Activation("softmax"),
    "an equation": lambda: layers.EinsumDense("abc,cd->abd", output_shape=[4, 2]),
    "a function": lambda: layers.Lambda(lambda x: x - keras.ops.mean(x, axis=0)),
    "a function as an activation": lambda: layers.Dense(2, lambda x: x - keras.ops.mean(x, axis=0)),
    "one within another": lambda: layers.TimeDistributed(layers.Lambda(lambda x: x)),
}


@pytest.mark.parametrize("make", KNOWN.values(), ids=KNOWN.keys())
def test_what_is_known_gives_an_example_the_same_beside_any_others(make):
    keras.utils.set_random_seed(0)
    model = make()
    assert are_independent(model, [MeanSquaredError(), RangeHinge()])
    x = np.random.default_rng(0).integers(9, size=(6, *model.input_shape[1:])).astype("float32")
    whole = model(x, training=False).numpy()
    np.testing.assert_allclose(whole[2:4], model(x[2:4], training=False).numpy(), atol=1e-6)


@pytest.mark.parametrize("make", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_might_mix_examples_is_not_among_it(make):
    assert not are_independent(model_of([4, 4], make()), [MeanSquaredError()])


def test_an_operation_and_a_model_of_ones_own_are_not_either():
    inputs = keras.Input([4])
    hidden = layers.Dense(3)(inputs)

    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    assert not are_independent(keras.Model(inputs, hidden - keras.ops.mean(hidden, axis=0)), [MeanSquaredError()])
    assert not are_independent(Own(), [MeanSquaredError()])


@pytest.mark.parametrize(
    ("term", "known"),
    [
        (KerasLoss(loss=keras.losses.Huber(delta=0.5)), True),
        (KerasLoss(loss=keras.losses.CategoricalCrossentropy()), True),
        (KerasLoss(loss=keras.losses.CategoricalCrossentropy(axis=0)), False),
        (KerasLoss(loss=keras.losses.Circle()), False),
        (KerasLoss(loss=keras.losses.CosineSimilarity(axis=0)), False),
        (FunctionTerm(fn=lambda y_pred: y_pred), False),
    ],
)
def test_of_losses_those_of_each_example_are_known(term, known):
    assert are_independent(KNOWN["dense"](), [term]) == known


def test_no_layer_is_listed_that_keras_gives_an_axis():
    with_axis = {kind.__name__ for kind in independent._LAYERS if "axis" in inspect.signature(kind.__init__).parameters}
    assert with_axis == {"BatchNormalization"}
