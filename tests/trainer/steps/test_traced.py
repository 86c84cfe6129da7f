"""Traced: what a traced step would not notice is refused by its name, and what it reads may change."""

import keras
import numpy as np
import pytest
from keras.optimizers.schedules import CosineDecay

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource
from trainer.steps.groups import only_group
from trainer.steps.traced import Traced


@pytest.fixture
def model(dense_model):
    return dense_model(lambda: keras.layers.Dropout(0.5, name="noise"), keras.layers.BatchNormalization)


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (lambda m, o: setattr(m.get_layer("hidden"), "trainable", False), "hidden.trainable was True .* is False now"),
        (lambda m, o: setattr(m.get_layer("head").bias, "trainable", False), "head/bias.trainable was True"),
        (lambda m, o: setattr(m.get_layer("noise"), "rate", 0.1), "noise.rate was 0.5 .* is 0.1 now"),
        (
            lambda m, o: setattr(m.get_layer("hidden"), "activation", keras.activations.relu),
            "hidden.activation was tanh .* is relu now",
        ),
        (
            lambda m, o: setattr(m.get_layer("head").kernel, "constraint", keras.constraints.NonNeg()),
            r"head/kernel.constraint was None .* is NonNeg\(\) now",
        ),
        (
            lambda m, o: setattr(m.get_layer("head").kernel, "regularizer", keras.regularizers.L2(0.5)),
            r"head/kernel.regularizer was None .* is L2\(l2=0.5\) now",
        ),
        (lambda m, o: setattr(m.get_layer("head"), "dtype_policy", "mixed_bfloat16"), "head.dtype_policy was float32"),
        (lambda m, o: setattr(o, "momentum", 0.9), "the optimizer's momentum was 0.0 .* is 0.9 now"),
        (
            lambda m, o: setattr(o, "learning_rate", CosineDecay(0.1, 9)),
            "is CosineDecay now",
        ),
    ],
)
def test_a_change_that_a_traced_step_would_not_notice_is_named(model, change, answer):
    optimizer = keras.optimizers.SGD(0.1)
    traced = Traced(model, only_group(optimizer, model))
    change(model, optimizer)
    with pytest.raises(ConfigurationError, match=f"{answer}.*expected it as it was, or a new Trainer"):
        traced.require_unchanged()


def test_values_of_variables_and_what_is_put_back_are_no_change(model):
    optimizer = keras.optimizers.SGD(0.1)
    traced = Traced(model, only_group(optimizer, model))
    optimizer.learning_rate = 0.01
    model.set_weights([weight + 1 for weight in model.get_weights()])
    model.get_layer("head").trainable = False
    model.get_layer("head").trainable = True
    traced.require_unchanged()


class Scaled(keras.Model):
    """A model and a layer of a user's own, with plain attributes and a log of its calls."""

    class Scale(keras.layers.Layer):
        power = 1

        def __init__(self):
            super().__init__(name="scale")
            self.alpha, self._table, self.options, self.log = 2.0, np.ones(3, np.float32), {"on": [True]}, []
            self.last = None

        def call(self, inputs):
            self.log.append(len(self.log))
            self.last = inputs
            return inputs**self.power * self.alpha * self._table

    def __init__(self):
        super().__init__(name="scaled")
        self.shift, self.scale, self.head = 0.5, self.Scale(), keras.layers.Dense(2)

    def call(self, inputs):
        return self.head(self.scale(inputs) + self.shift)


@pytest.fixture
def scaled(data):
    model = Scaled()
    model(data["x"])
    return model


@pytest.fixture
def trainer_of(make_trainer, plain_source):
    """Makes a trainer of a model, with one term, that evaluates on what it trains on."""

    def make(model, **settings):
        source = settings.get("train", plain_source)
        return make_trainer(model=model, objective=Objective(data=MeanSquaredError()), eval=source, **settings)

    return make


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (lambda m: setattr(m.scale, "alpha", 3.0), r"scale.alpha was 2.0 .* is 3.0 now"),
        (lambda m: m.scale._table.fill(3.0), r"scale._table was array float32 \(3,\)"),
        (lambda m: m.scale.options["on"].append(False), "scale.options was"),
        (lambda m: setattr(m, "shift", 1.5), "scaled.shift was 0.5 .* is 1.5 now"),
        (lambda m: setattr(m.scale, "power", 2), "scale.power was 1 .* is 2 now"),
    ],
)
def test_a_change_of_an_attribute_of_ones_own_class_is_named_by_all_that_runs_a_trace(
    trainer_of, scaled, change, answer
):
    trainer = trainer_of(scaled)
    trainer.evaluate()
    change(scaled)
    for use in (trainer.train, trainer.evaluate, trainer.dry_run):
        with pytest.raises(ConfigurationError, match=answer):
            use()


@pytest.mark.slow
def test_what_a_layer_notes_as_it_is_called_is_no_change(trainer_of, scaled, data):
    trainer = trainer_of(scaled)
    for use in (trainer.evaluate, lambda: trainer.train(until=2), lambda: scaled(data["x"]), trainer.dry_run):
        use()
    scaled.compile("sgd", "mse")
    scaled.fit(data["x"], data["y"], verbose=0)
    trainer.train()
    assert trainer.step == 5


L = keras.layers
SEQUENCES = {
    "recurrent": lambda: [L.LSTM(4, dropout=0.2, recurrent_dropout=0.2)],
    "recurrent both ways": lambda: [L.Bidirectional(L.GRU(3))],
    "of cells": lambda: [L.RNN([L.LSTMCell(3), L.GRUCell(2)])],
    "nested": lambda: [
        keras.Sequential([L.Dense(3), L.BatchNormalization(), L.Dropout(0.3), L.GaussianNoise(0.1)]),
        L.TimeDistributed(L.Dense(2)),
    ],
    "with state": lambda: [L.SpectralNormalization(L.Dense(3)), L.PReLU(), L.LayerNormalization()],
    "of their own way to compute": lambda: [
        *(L.ZeroPadding1D(1), L.Conv1D(3, 2, kernel_constraint="max_norm")),
        *(L.Lambda(lambda x: 2 * x), L.Rescaling(0.5), L.UnitNormalization()),
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("make", SEQUENCES.values(), ids=SEQUENCES.keys())
def test_layers_of_keras_do_not_change_while_they_are_used(trainer_of, make):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 4, 3)).astype(np.float32), rng.normal(size=(20, 2)).astype(np.float32)
    model = keras.Sequential([keras.Input([4, 3]), *make(), L.Flatten(), L.Dense(2)])
    trainer = trainer_of(model, train=ArraySource(x, y), batch_size=5, steps=4)
    trainer.evaluate()
    trainer.train(until=1)
    model(x)
    trainer.dry_run()
    model.predict(x, verbose=0)
    trainer.train()
    assert trainer.step == 4


@pytest.mark.slow
def test_attention_embeddings_and_nested_models_do_not_change_while_they_are_used(trainer_of):
    tokens = np.random.default_rng(0).integers(0, 7, (20, 4))
    inputs = keras.Input([4], dtype="int32")
    embedded = L.Embedding(7, 4)(inputs)
    attended = L.MultiHeadAttention(2, 3, dropout=0.1)(embedded, embedded)
    inner = keras.Sequential([keras.Input([4, 4]), L.Dense(3), L.LSTM(3)])
    model = keras.Model(inputs, L.Dense(2)(inner(L.Add()([embedded, attended]))))
    source = ArraySource(tokens.astype(np.int32), np.zeros([20, 2], np.float32))
    trainer = trainer_of(model, train=source, batch_size=5, steps=4)
    trainer.evaluate()
    trainer.train(until=1)
    model(tokens)
    trainer.dry_run()
    trainer.train()
    assert trainer.step == 4
