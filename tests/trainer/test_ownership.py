"""Ownership: after and between calls of a trainer its model and its optimizer are ordinary ones, and the caller's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ActivationPenalty, ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, Interrupted
from trainer.devices.strategy import mirrored, place
from trainer.executions.non_finite import NonFiniteError
from trainer.reports import ReportError


class Residual(keras.Model):
    """A subclassed model with batch statistics, noise and a nested functional model."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.normalization = keras.layers.BatchNormalization()
        self.noise = keras.layers.Dropout(0.2)
        self.skip = keras.layers.Dense(2)

    def call(self, inputs, training=False):
        hidden = self.noise(self.normalization(inputs, training=training), training=training)
        return self.inner(hidden) + self.skip(hidden)


@pytest.fixture
def nested(dense_model, data):
    """A subclassed model around a functional one, built."""
    model = Residual(dense_model())
    model(data["x"])
    return model


MSE = Objective(data=MeanSquaredError())


@pytest.mark.parametrize(
    "strategy", [pytest.param("one", marks=pytest.mark.slow), 1, pytest.param(2, marks=pytest.mark.slow)]
)
def test_a_trained_model_is_an_ordinary_one(make_trainer, nested, data, replicas, strategy, tmp_path):
    optimizer = keras.optimizers.Adam(0.05)
    strategy = tf.distribute.OneDeviceStrategy("CPU:0") if strategy == "one" else replicas(strategy)
    called = tf.function(lambda x: nested(x, training=False))
    before = called(data["x"]).numpy()
    trainer = make_trainer(
        model=nested, optimizer=optimizer, objective=MSE, strategy=strategy, average_momentum=0.5, steps=4, batch_size=6
    )
    trainer.train()
    weights = nested.get_weights()
    predictions = nested.predict(data["x"], verbose=0)
    np.testing.assert_allclose(called(data["x"]), predictions, rtol=1e-5, atol=1e-6)  # traced before, with new weights
    assert np.abs(predictions - before).max() > 1e-3
    with trainer.averaged():
        assert np.abs(nested.predict(data["x"], verbose=0) - predictions).max() > 1e-4
    for found, expected in zip(nested.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert (float(optimizer.learning_rate), int(optimizer.iterations)) == (np.float32(0.05), 4)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(nested(data["x"], training=True) - data["y"]))
    assert all(gradient is not None for gradient in tape.gradient(loss, nested.trainable_variables))
    nested.compile(optimizer, "mse")
    nested.fit(data["x"], data["y"], batch_size=5, verbose=0)
    assert int(optimizer.iterations) == 8
    assert any((ours != old).any() for ours, old in zip(nested.get_weights(), weights, strict=True))
    assert trainer.train(until=4)["loss/total"] == pytest.approx(trainer.dry_run()["loss/total"])


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_trained_model_is_saved_with_its_optimizer(make_trainer, dense_model, data, replicas, count, tmp_path):
    model, optimizer = dense_model(keras.layers.BatchNormalization), keras.optimizers.Adam(0.05)
    model.compile(optimizer, "mse")
    make_trainer(model=model, optimizer=optimizer, strategy=replicas(count), batch_size=6).train()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(data["x"], verbose=0), model.predict(data["x"], verbose=0))
    for ours, expected in zip(again.optimizer.variables, optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize(
    ("precision", "count"), [("mixed_float16", 1), pytest.param("mixed_bfloat16", 2, marks=pytest.mark.slow)]
)
def test_half_precision_leaves_an_ordinary_model(make_trainer, dense_model, data, replicas, precision, count):
    keras.mixed_precision.set_dtype_policy(precision)
    try:
        model = dense_model()
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    optimizer = keras.optimizers.SGD(0.05)
    make_trainer(model=model, optimizer=optimizer, precision=precision, strategy=replicas(count)).train()
    before = model.get_weights()[0]
    model.compile(optimizer, "mse")
    model.fit(data["x"], data["y"], verbose=0)
    assert np.abs(model.get_weights()[0] - before).max() > 0


# Several trainers


@pytest.mark.slow
def test_trainers_over_one_model_train_the_same_weights_in_turns(make_trainer, dense_model, replicas):
    model, optimizer = dense_model(), keras.optimizers.Adam(0.01)
    settings = {"model": model, "optimizer": optimizer, "steps": 4}
    first, second = (make_trainer(**settings, strategy=replicas(count)) for count in (2, 1))
    one_after_the_other = dense_model()
    alone = make_trainer(model=one_after_the_other, optimizer=keras.optimizers.Adam(0.01), steps=4)
    first.train(until=2)
    second.train(until=2)
    first.train()
    assert int(optimizer.iterations) == 6
    with pytest.raises(ConfigurationError, match="in use already"):
        make_trainer(model=dense_model(), optimizer=optimizer)
    other = keras.optimizers.Adam(0.01)
    make_trainer(model=one_after_the_other, optimizer=other, steps=2).train()  # a second optimizer over the same model
    alone.train(until=2)
    assert (int(other.iterations), int(alone.optimizer.iterations)) == (2, 2)


# Between two calls


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_what_was_assigned_between_two_calls_holds(make_trainer, dense_model, replicas, count, tmp_path):
    model, optimizer = dense_model(), keras.optimizers.Adam(0.05)
    settings = {"workdir": tmp_path, "strategy": replicas(count), "steps": 12, "checkpoint_every": 2}
    trainer = make_trainer(model=model, optimizer=optimizer, **settings)
    trainer.train(until=4)
    optimizer.learning_rate = 0.0
    head = model.get_layer("head")
    head.set_weights([np.full_like(weight, 0.5) for weight in head.get_weights()])
    before = model.get_weights()
    trainer.train(until=8)
    assert trainer.step == 8
    for found, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)
    head.trainable = False
    with pytest.raises(ConfigurationError, match="head.trainable was True"):
        trainer.train()
    head.trainable = True
    again = make_trainer(model=dense_model(), optimizer=keras.optimizers.Adam(0.05), **settings)
    again.train(until=9)  # from the checkpoint of step 8, which has what was assigned
    np.testing.assert_array_equal(again.model.get_weights()[-1], np.full(2, 0.5))
    trainer.train(until=8)  # nothing to do, but another trainer has saved a later step
    assert trainer.step == 9


@pytest.mark.slow
def test_a_run_in_parts_is_the_run_in_one_with_a_folder_too(make_trainer, dense_model, replicas, tmp_path):
    def run(folder, *stops):
        model = dense_model(lambda: keras.layers.Dropout(0.3))
        settings = {"optimizer": keras.optimizers.Adam(0.05), "strategy": replicas(2), "steps": 9}
        trainer = make_trainer(model=model, workdir=tmp_path / folder, checkpoint_every=4, **settings)
        for stop in stops:
            trainer.train(until=stop)
        return model.get_weights()

    for ours, expected in zip(run("parts", 2, 3, 7, 9), run("whole", 9), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.slow
def test_what_was_assigned_after_an_interruption_or_a_number_not_finite_holds(
    make_trainer, dense_model, data, tmp_path, sends
):
    model, optimizer = dense_model(), keras.optimizers.SGD(0.05)
    source = ArraySource(np.tile(data["x"], [30, 1]), np.tile(data["y"], [30, 1]), shuffle=False)
    source.arrays["inputs"][-1] = np.nan  # in the batch of step 200, long after the signal
    trainer = make_trainer(
        model=model,
        optimizer=optimizer,
        train=source,
        batch_size=3,
        steps=210,
        log_every=1,
        chunk_steps=1,
        workdir=tmp_path,
        checkpoint_every=100,
        reports=[sends(2)],
    )
    with pytest.raises(Interrupted):
        trainer.train()
    done = trainer.step
    assert 2 <= done < 199
    optimizer.learning_rate = 0.0
    before = model.get_weights()
    with pytest.raises(NonFiniteError, match="step 200"):
        trainer.train()
    assert trainer.step == 199
    for found, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)
    model.get_layer("head").bias.assign([7.0, 7.0])
    with pytest.raises(NonFiniteError, match="step 200"):
        trainer.train()
    np.testing.assert_array_equal(model.get_layer("head").bias, [7.0, 7.0])


def test_after_any_other_error_the_newest_checkpoint_is_taken(make_trainer, dense_model, stop_at, tmp_path):
    model, optimizer = dense_model(), keras.optimizers.Adam(0.05)
    settings = {"steps": 9, "log_every": 1, "chunk_steps": 1, "checkpoint_every": 2}
    trainer = make_trainer(model=model, optimizer=optimizer, workdir=tmp_path, reports=[stop_at(5)], **settings)
    with pytest.raises(ReportError):
        trainer.train()
    model.set_weights([weight * 0 for weight in model.get_weights()])
    with pytest.raises(ReportError):
        trainer.train()
    assert max(np.abs(weight).max() for weight in model.get_weights()) > 0


# A notebook


@pytest.mark.slow
def test_a_model_built_again_resumes_under_the_names_that_keras_then_gives(make_trainer, weight_decay, tmp_path):
    objective = Objective(
        data=MeanSquaredError(),
        small=ActivationPenalty(activation="activations.dense", norm="l2", weight=0.1),
        decay=weight_decay(variable="weights.sequential/dense/kernel", weight=0.1),
    )

    def cell(folder, steps):
        keras.utils.set_random_seed(1)
        hidden = keras.layers.Dense(4, activation="tanh")
        model = keras.Sequential([keras.Input([3]), hidden, keras.layers.Dropout(0.2), keras.layers.Dense(2)])
        settings = {"optimizer": keras.optimizers.Adam(0.05), "workdir": tmp_path / folder, "steps": steps}
        make_trainer(model=model, objective=objective, **settings).train()
        return model

    keras.backend.clear_session()
    whole = cell("whole", 6)
    assert whole.layers[0].name == "dense"
    cell("parts", 3)
    again = cell("parts", 6)
    assert again.layers[0].name == "dense_4"
    for ours, expected in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


# Strategies that users bring


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "execution"),
    [
        (lambda: tf.distribute.OneDeviceStrategy("CPU:1"), "xla_loop"),
        (lambda: tf.distribute.MirroredStrategy(["CPU:1"]), "xla_step"),
        (tf.distribute.get_strategy, "graph"),
    ],
)
def test_strategies_of_one_device_train_as_the_first_device_does(make_trainer, dense_model, make, execution):
    def run(strategy):
        model, optimizer = dense_model(lambda: keras.layers.Dropout(0.3)), keras.optimizers.Adam(0.05)
        trainer = make_trainer(model=model, optimizer=optimizer, strategy=strategy, execution=execution, steps=3)
        trainer.train()
        return model.get_weights()

    for found, value in zip(run(make()), run("one_device"), strict=True):
        np.testing.assert_array_equal(found, value)


@pytest.mark.slow
def test_own_mirrored_strategies_of_any_sizes_work_one_after_the_other(make_trainer, dense_model):
    def run(strategy):
        model = dense_model(lambda: keras.layers.BatchNormalization(synchronized=True))
        make_trainer(model=model, strategy=strategy, batch_size=6, steps=2).train()
        return model.get_weights()[0]

    devices = ["CPU:0", "CPU:1", "CPU:2"]
    weights = [run(tf.distribute.MirroredStrategy(devices[:count])) for count in (2, 3)]
    np.testing.assert_allclose(*weights, rtol=1e-4)


def test_a_trainer_is_neither_made_nor_used_inside_a_scope(make_trainer, replicas):
    strategy = replicas(2)
    trainer = make_trainer(strategy=strategy)
    with strategy.scope():
        for use in (trainer.train, trainer.dry_run, lambda: make_trainer(strategy=strategy)):
            with pytest.raises(ConfigurationError, match="inside the scope of a MirroredStrategy"):
                use()
    assert place(tf.distribute.get_strategy()).name == "one_device"


@pytest.mark.slow
def test_what_an_optimizer_shall_not_decay_is_not_decayed_on_any_devices(make_trainer, dense_model):
    def run(strategy):
        model, optimizer = dense_model(), keras.optimizers.AdamW(0.01, weight_decay=2.0)
        optimizer.exclude_from_weight_decay(var_list=[model.get_layer("head").bias, model.get_layer("hidden").bias])
        model.get_layer("head").bias.assign([1.0, 1.0])
        make_trainer(model=model, optimizer=optimizer, strategy=strategy, steps=3, batch_size=6).train()
        return model.get_weights()

    weights = run("one_device")
    for devices in (["CPU:0", "CPU:1"], ["CPU:1", "CPU:2"], ["CPU:1"]):
        for found, expected in zip(run(mirrored(devices)), weights, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6, err_msg=str(devices))
