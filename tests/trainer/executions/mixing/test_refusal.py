"""Mixing: where a batch is cut, a model or a term that makes one example's numbers from others is refused by name."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import (
    ActivationPenalty,
    BatchStatistic,
    ConfigurationError,
    Decorrelation,
    FunctionTerm,
    KerasLoss,
    Key,
    MeanSquaredError,
    Objective,
    WeightDecay,
)
from trainer import ArraySource, DatasetSource

SLOW = pytest.mark.slow
PLAIN = Objective(data=MeanSquaredError())


def contrast(y_pred):
    alike = y_pred @ tf.transpose(y_pred)
    return tf.reduce_logsumexp(alike, axis=1) - tf.linalg.diag_part(alike)


def shared(y_true, y_pred):
    return tf.reduce_sum((y_true - y_pred) ** 2, axis=-1) / tf.cast(tf.shape(y_pred)[0], tf.float32)


def centred(y_pred):
    return y_pred - tf.reduce_mean(y_pred, axis=0)


def noisy(y_pred, step):
    return (y_pred + tf.random.stateless_normal(tf.shape(y_pred), [7, tf.cast(step, tf.int32)])) ** 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contrast(BatchStatistic):
    """The contrast of the whole batch, which is gathered."""

    y_pred: Key = "outputs"

    def values(self, counted, y_pred):
        apart = y_pred @ tf.transpose(y_pred) + tf.math.log(counted)
        values = tf.reduce_logsumexp(apart, axis=1) - tf.linalg.diag_part(apart)
        return tf.reduce_sum(tf.where(counted > 0, values, 0)) / tf.reduce_sum(counted)


class Centred(keras.layers.Layer):
    """Subtracts the mean of the batch in training, and a moving one else."""

    def build(self, shape):
        self.mean = self.add_weight(shape=shape[-1:], initializer="zeros", trainable=False, name="mean")

    def call(self, inputs, training=False):
        if not training:
            return inputs - self.mean
        mean = tf.reduce_mean(inputs, axis=0)
        self.mean.assign(0.9 * self.mean + 0.1 * mean)
        return inputs - mean


class OutOfOrder(keras.Model):
    """Has its layers in another order than it calls them."""

    def __init__(self):
        super().__init__()
        self.head = keras.layers.Dense(2, name="head")
        self.core = keras.Sequential([keras.Input([3]), keras.layers.Dense(4), Centred(name="centred")], name="core")

    def call(self, inputs, training=False):
        return self.head(self.core(inputs, training=training))


@pytest.fixture
def masked_source(data):
    """Labels, a mask and weights beside the targets."""
    targets = {"y": data["y"], "mask": data["mask"], "label": np.arange(20) % 3}
    return ArraySource(data["x"], targets, sample_weight=data["factor"])


MIXING = {
    "contrast": FunctionTerm(fn=contrast),
    "circle": KerasLoss(loss=keras.losses.Circle(), y_true="targets.label", y_pred="activations.unit"),
    "shared": FunctionTerm(fn=shared, keys_of={"y_true": "targets.y"}, weight=0.0),
    "blurred": FunctionTerm(fn=lambda y_pred, step: contrast(noisy(y_pred, step))),
    "centred": FunctionTerm(fn=centred, mask="targets.mask", average="examples"),
}
ALONE = {
    "data": MeanSquaredError(y_true="targets.y", mask="targets.mask", sample_weight="sample_weight"),
    "small": ActivationPenalty(activation="activations.*", average="examples", norm="l2"),
    "decay": WeightDecay(),
    "noisy": FunctionTerm(fn=noisy),
}


def unit():
    return keras.layers.UnitNormalization(name="unit")


@pytest.mark.slow
@pytest.mark.parametrize("cut", [{"count": 2}, {"accumulate_steps": 3}], ids=str)
def test_terms_that_mix_examples_are_all_named_and_no_others(make_trainer, dense_model, masked_source, replicas, cut):
    settings = {"train": masked_source, "model": dense_model(unit), "accumulate_steps": cut.get("accumulate_steps", 1)}
    settings["strategy"] = replicas(cut.get("count", 1))
    gathered = {"apart": Decorrelation(features="outputs")} if "count" in cut else {}
    with pytest.raises(ConfigurationError, match="expected one replica .* a class of BatchStatistic") as error:
        make_trainer(objective=Objective(**MIXING, **ALONE, **gathered), **settings).dry_run()
    assert sorted(message.split("'")[1] for message in error.value.messages) == sorted(MIXING)


def test_one_replica_and_one_part_take_any_term(make_trainer, dense_model, masked_source):
    objective = Objective(**MIXING, data=ALONE["data"])
    values = make_trainer(objective=objective, train=masked_source, model=dense_model(unit)).train()
    assert np.isfinite(values["loss/total"])


@pytest.mark.slow
def test_what_a_term_of_ones_own_gathers_is_exact_on_replicas(make_trainer, dense_model, recorder, replicas):
    objective = Objective(data=MeanSquaredError(), contrast=Contrast())
    for strategy in (replicas(1), replicas(2)):
        settings = {"model": dense_model(), "log_every": 1, "reports": [recorder], "steps": 2}
        make_trainer(objective=objective, strategy=strategy, **settings).train()
    raw = recorder.column("terms/contrast/raw")
    assert raw[:2] == pytest.approx(raw[2:], rel=1e-5)
    plain = make_trainer(model=dense_model(), objective=Objective(contrast=FunctionTerm(fn=contrast))).dry_run()
    assert raw[0] == pytest.approx(plain["terms/contrast/raw"], rel=1e-5)


MIXERS = {
    "over the batch": (
        lambda: keras.layers.UnitNormalization(axis=0, name="mixer"),
        "the layer 'mixer' computes .*, and",
    ),
    "a function": (lambda: keras.layers.Lambda(centred, name="mixer"), "the layer 'mixer' computes .*, and"),
    "in training": (lambda: Centred(name="mixer"), "the layer 'mixer' computes .* in training, and"),
}


@pytest.mark.parametrize(
    "case", ["in training", pytest.param("over the batch", marks=SLOW), pytest.param("a function", marks=SLOW)]
)
def test_a_layer_that_mixes_examples_is_named(make_trainer, dense_model, replicas, case):
    layer, answer = MIXERS[case]
    model = dense_model(keras.layers.BatchNormalization, lambda: keras.layers.Dropout(0.3), layer)
    with pytest.raises(ConfigurationError, match=answer):
        make_trainer(model=model, batch_size=8, strategy=replicas(2)).dry_run()


def test_the_innermost_layer_that_mixes_first_is_named(make_trainer):
    model = OutOfOrder()
    model(np.zeros([1, 3]))
    with pytest.raises(ConfigurationError, match="the layer 'core/centred' computes .* into 2 micro-batches"):
        make_trainer(model=model, objective=PLAIN, batch_size=8, accumulate_steps=2).dry_run()


@pytest.mark.parametrize("batch_size", [2, pytest.param(3, marks=SLOW)])
def test_a_few_examples_are_enough_to_tell(make_trainer, replicas, batch_size):
    objective = Objective(contrast=FunctionTerm(fn=contrast))
    with pytest.raises(ConfigurationError, match="term 'contrast'"):
        make_trainer(objective=objective, batch_size=batch_size, strategy=replicas(2)).dry_run()


@pytest.mark.slow
def test_layers_that_take_each_example_by_itself_are_let_through_and_left_as_they_are(make_trainer, replicas):
    keras.utils.set_random_seed(0)
    inputs = keras.Input([5], dtype="int32")
    hidden = keras.layers.Embedding(7, 4, mask_zero=True)(inputs)
    hidden = keras.layers.GaussianNoise(0.3)(keras.layers.LSTM(4)(hidden))
    hidden = keras.layers.SpectralNormalization(keras.layers.Dense(4))(hidden)
    hidden = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(hidden))
    model = keras.Model(inputs, keras.layers.LayerNormalization()(keras.layers.Dense(2)(hidden)))
    before = [variable.numpy() for variable in model.trainable_variables + model.layers[4].non_trainable_variables]
    rng = np.random.default_rng(0)
    source = ArraySource(rng.integers(7, size=(16, 5)), rng.normal(size=(16, 2)))
    objective = Objective(data=MeanSquaredError(), small=ALONE["noisy"])
    make_trainer(model=model, objective=objective, train=source, batch_size=8, strategy=replicas(2)).dry_run()
    after = [variable.numpy() for variable in model.trainable_variables + model.layers[4].non_trainable_variables]
    assert all(map(np.array_equal, before, after))
    assert model.layers[5].trainable


@pytest.mark.parametrize("kind", [ArraySource, pytest.param(DatasetSource, marks=SLOW)])
def test_evaluation_is_padded_with_nothing_that_is_mixed(make_trainer, data, kind):
    def source(count):
        arrays = (data["x"][:count], data["y"][:count])
        return kind(*arrays) if kind is ArraySource else kind(lambda: tf.data.Dataset.from_tensor_slices(arrays))

    objective = Objective(contrast=FunctionTerm(fn=contrast))
    with pytest.raises(ConfigurationError, match="last batch of the evaluation is padded .* expected a number of eval"):
        make_trainer(objective=objective, eval=source(20)).dry_run()
    assert np.isfinite(make_trainer(objective=objective, eval=source(14)).train()["loss/total"])


class Bounded(keras.layers.Layer):
    """Has a scale that it asserts to be 1."""

    def build(self, shape):
        self.scale = self.add_weight(shape=shape[-1:], initializer="ones", trainable=False, name="scale")

    def call(self, inputs):
        tf.debugging.assert_near(self.scale.value, tf.ones_like(self.scale), message="the scale is not 1")
        return inputs * self.scale


@pytest.mark.slow
def test_what_a_model_asserts_of_its_weights_is_no_mistake_where_they_are_moved(make_trainer, dense_model, replicas):
    model = dense_model(lambda: Bounded(name="bounded"))
    before = model.get_weights()
    make_trainer(model=model, objective=PLAIN, batch_size=8, strategy=replicas(2)).dry_run()
    assert all(map(np.array_equal, before, model.get_weights()))


@pytest.mark.parametrize("kind", [ArraySource, pytest.param(DatasetSource, marks=SLOW)])
def test_an_evaluation_before_any_training_meets_what_mixes_too(make_trainer, dense_model, data, replicas, kind):
    arrays = (data["x"][:9], data["y"][:9])
    source = kind(*arrays) if kind is ArraySource else kind(lambda: tf.data.Dataset.from_tensor_slices(arrays))
    model = dense_model(lambda: keras.layers.Lambda(centred, name="mixer"))
    settings = {"model": model, "objective": PLAIN, "eval": source}
    for cut in ({"batch_size": 8, "strategy": replicas(2)}, {"batch_size": 6}):
        with pytest.raises(ConfigurationError, match="the layer 'mixer' computes"):
            make_trainer(**settings, **cut).evaluate()
    whole = make_trainer(**settings, batch_size=9, accumulate_steps=3).evaluate()["loss/total"]
    assert whole == pytest.approx(np.mean((model(data["x"][:9]).numpy() - data["y"][:9]) ** 2), rel=1e-5)


@pytest.mark.slow
def test_what_mixes_in_training_alone_may_be_evaluated(make_trainer, dense_model, data, replicas):
    model = dense_model(lambda: Centred(name="mixer"))
    settings = {"model": model, "objective": PLAIN, "batch_size": 8, "strategy": replicas(2)}
    trainer = make_trainer(**settings, eval=ArraySource(data["x"], data["y"]))
    assert np.isfinite(trainer.evaluate()["loss/total"])
    with pytest.raises(ConfigurationError, match="the layer 'mixer' computes .* in training"):
        trainer.dry_run()
