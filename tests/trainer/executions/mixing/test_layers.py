"""Mixed layers: a layer that mixes examples is named however that hides, and no ordinary layer is."""

from contextlib import nullcontext

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, MeanSquaredError, Objective
from trainer import ArraySource

SLOW = pytest.mark.slow
PLAIN = Objective(data=MeanSquaredError())


def centred(inputs):
    return inputs - tf.reduce_mean(inputs, axis=0)


class Gate(keras.layers.Layer):
    """Adds the mean of the batch, times a weight that begins at 0."""

    def build(self, shape):
        self.gate = self.add_weight(shape=(), initializer="zeros", name="gate")

    def call(self, inputs):
        return inputs + self.gate * tf.reduce_mean(inputs, axis=0)


class Masked(keras.layers.Layer):
    """Puts a Keras mask on what is above the mean of the batch."""

    def call(self, inputs):
        return inputs + 0.0

    def compute_mask(self, inputs, mask=None):
        total = keras.ops.sum(inputs, axis=-1)
        return total > keras.ops.mean(total)


def in_place(inputs):
    return inputs * (1.0 + 0.1 * tf.cast(tf.range(tf.shape(inputs)[0]), tf.float32))[:, tf.newaxis]


def of_size(inputs):
    return inputs * tf.cast(tf.shape(inputs)[0], tf.float32) / 10.0


def above(inputs):
    return inputs > tf.reduce_mean(inputs, axis=0)


def ranks(inputs):
    return tf.argsort(tf.argsort(inputs, axis=0), axis=0)


HIDDEN = {
    "behind a weight of 0": [lambda: Gate(name="mixer")],
    "by the row": [lambda: keras.layers.Lambda(in_place, name="mixer")],
    "by the size": [lambda: keras.layers.Lambda(of_size, name="mixer")],
    "behind an offset": [
        lambda: keras.layers.Lambda(centred, name="mixer"),
        lambda: keras.layers.Rescaling(1.0, offset=20000.0),
    ],
    "a Keras mask": [lambda: Masked(name="mixer")],
}


@pytest.mark.parametrize("case", [pytest.param(case, marks=SLOW) for case in HIDDEN])
def test_a_layer_whose_mixing_hides_is_named(make_trainer, dense_model, replicas, case):
    with pytest.raises(ConfigurationError, match="the layer 'mixer' computes the values of an example"):
        make_trainer(model=dense_model(*HIDDEN[case]), objective=PLAIN, batch_size=8, strategy=replicas(2)).dry_run()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [above, ranks])
def test_an_output_of_flags_or_whole_numbers_is_looked_at(make_trainer, dense_model, replicas, kind):
    plain = dense_model()
    flags = keras.layers.Lambda(kind, name="mixer")(plain.output)
    model = keras.Model(plain.input, {"y": plain.output, "flags": flags})
    objective = Objective(data=MeanSquaredError(y_pred="outputs.y"))
    with pytest.raises(ConfigurationError, match="the layer 'mixer' computes the values of an example"):
        make_trainer(model=model, objective=objective, batch_size=8, strategy=replicas(2)).dry_run()


@pytest.mark.parametrize("count", [2, pytest.param(3, marks=SLOW)])
def test_equal_examples_do_not_hide_what_mixes(make_trainer, data, replicas, count):
    model = keras.Sequential([keras.Input([3]), keras.layers.Lambda(centred, name="mixer"), keras.layers.Dense(2)])
    train = ArraySource(np.repeat(data["x"][:1], 20, axis=0), data["y"], shuffle=False)
    with pytest.raises(ConfigurationError, match="the layer 'mixer' computes"):
        settings = {"train": train, "objective": PLAIN, "batch_size": 4 * count, "strategy": replicas(count)}
        make_trainer(model=model, **settings).dry_run()


class FixedSize(keras.layers.Layer):
    """Takes four examples at a time, and none else."""

    def call(self, inputs):
        return tf.reshape(tf.reshape(inputs, [4, 2, 2]), [4, 4])


@pytest.mark.slow
@pytest.mark.parametrize("between", [[FixedSize], [FixedSize, lambda: keras.layers.Lambda(in_place)]])
def test_a_model_of_one_size_of_batches_is_tried_with_that(make_trainer, dense_model, replicas, between):
    trainer = make_trainer(model=dense_model(*between), objective=PLAIN, batch_size=8, strategy=replicas(2))
    with pytest.raises(ConfigurationError, match="the layer 'lambda") if len(between) > 1 else nullcontext():
        trainer.dry_run()


def pictures():
    """Blocks as in MobileNetV2, of which the whole one would only be traced for longer."""
    inputs = hidden = keras.Input([16, 16, 3])
    for filters, strides in ((16, 1), (16, 1), (24, 2), (24, 1)):
        wide = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(keras.layers.Conv2D(48, 1)(hidden)))
        wide = keras.layers.DepthwiseConv2D(3, strides, padding="same")(wide)
        wide = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(wide))
        narrow = keras.layers.BatchNormalization()(keras.layers.Conv2D(filters, 1)(wide))
        hidden = keras.layers.Add()([hidden, narrow]) if hidden.shape == narrow.shape else narrow
    hidden = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling2D()(hidden))
    return keras.Model(inputs, keras.layers.Dense(2, dtype="float32")(hidden))


def attention():
    inputs = keras.Input([6], dtype="int32")
    hidden = keras.layers.Embedding(7, 8, mask_zero=True)(inputs)
    hidden = hidden + keras.layers.MultiHeadAttention(2, 4, dropout=0.2)(hidden, hidden)
    hidden = keras.layers.LayerNormalization()(hidden)
    hidden = keras.layers.GlobalAveragePooling1D()(hidden)
    return keras.Model(inputs, keras.layers.Dense(2, dtype="float32")(hidden))


def recurrent():
    layers = [keras.layers.Bidirectional(keras.layers.LSTM(8, dropout=0.2, return_sequences=True))]
    layers += [keras.layers.GRU(8, recurrent_dropout=0.2), keras.layers.UnitNormalization(), keras.layers.Dense(2)]
    return keras.Sequential([keras.Input([6, 3]), *layers])


def deep():
    layers = [
        layer
        for _ in range(6)
        for layer in (keras.layers.Dense(32), keras.layers.LayerNormalization(), keras.layers.Activation("gelu"))
    ]
    return keras.Sequential([keras.Input([3]), *layers, keras.layers.Dense(2, dtype="float32")])


def labelled():
    """A model with a class and flags among its outputs, which may flip where they are close."""
    inputs = keras.Input([3])
    hidden = keras.layers.Dense(64)(inputs)
    flags = keras.layers.Lambda(lambda x: x > 0.0)(hidden)
    label = keras.layers.Lambda(lambda x: tf.argmax(x, axis=-1))(hidden)
    return keras.Model(inputs, {"y": keras.layers.Dense(2, dtype="float32")(hidden), "flags": flags, "label": label})


def groups():
    layers = [keras.layers.Conv2D(8, 3), keras.layers.GroupNormalization(4), keras.layers.Activation("silu")]
    layers += [keras.layers.BatchNormalization(), keras.layers.GlobalAveragePooling2D(), keras.layers.Softmax()]
    return keras.Sequential([keras.Input([8, 8, 3]), *layers, keras.layers.Dense(2, dtype="float32")])


PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "precision"),
    [
        *((attention, precision) for precision in PRECISIONS),
        # The others in the coarsest: what float16 has of its own is its range, which attention fills.
        *((make, "mixed_bfloat16") for make in (groups, recurrent, deep, labelled, pictures)),
    ],
)
def test_ordinary_models_are_let_through_in_any_precision(make_trainer, replicas, make, precision):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(precision)
    try:
        model = make()
    finally:
        keras.config.set_dtype_policy("float32")
    rng = np.random.default_rng(0)
    shape = (40, *model.input_shape[1:])
    inputs = rng.integers(7, size=shape) if make is attention else rng.normal(size=shape).astype(np.float32)
    y_pred = "outputs.y" if make is labelled else "outputs"
    error = FunctionTerm(fn=lambda a, b: tf.abs(a - b), keys_of={"a": "targets", "b": y_pred})
    objective = Objective(data=MeanSquaredError(y_pred=y_pred), error=error)
    settings = {"train": ArraySource(inputs, rng.normal(size=(40, 2)).astype(np.float32)), "objective": objective}
    settings |= {"precision": precision, "allow_unreached": True}
    make_trainer(model=model, batch_size=32, strategy=replicas(2), **settings).dry_run()
