"""ObjectiveModel: Keras's own fit makes the updates of a trainer, shows each term, and refuses what would be wrong."""

import contextlib
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import (
    ActivationPenalty,
    ConfigurationError,
    Decorrelation,
    FunctionTerm,
    KerasLoss,
    MeanSquaredError,
    Objective,
    RangeHinge,
    UPGrad,
)
from trainer import ObjectiveModel, objective_model
from trainer.executions.non_finite import NonFiniteError
from trainer.steps.precision import building_in

STEPS, BATCH = 5, 7
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


class Steps(keras.callbacks.Callback):
    """Keeps the values of each step by itself, where Keras reports means over the epoch so far."""

    def __init__(self):
        super().__init__()
        self.logs = []

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()

    def on_train_batch_end(self, batch, logs=None):
        self.logs.append(logs)


@pytest.fixture
def make(replicas):
    """Makes an ObjectiveModel, compiled, over so many replicas."""

    def make(make_model, objective, optimizer=lambda: keras.optimizers.SGD(0.1), *, count=1, **settings):
        with replicas(count).scope() if count > 1 else contextlib.nullcontext():
            fit = ObjectiveModel(make_model(), objective)
            fit.compile(optimizer(), **settings)
        return fit

    return make


@pytest.fixture
def fitted(make, dense_model, plain_source, objective):
    """Trains the dense model for an epoch; what was made and its history."""

    def fitted(**settings):
        fit = make(dense_model, objective)
        x, y = plain_source.arrays["inputs"], plain_source.arrays["targets"]
        return fit, fit.fit(x, y, **{"batch_size": BATCH, "shuffle": False, "verbose": 0, **settings}).history

    return fitted


def batches(source, steps=STEPS, size=BATCH):
    """The batches that a trainer takes of a source, as a dataset."""
    order = source.indices(first_batch=0, steps=steps, batch_size=size, seed=0)
    taken = tf.nest.map_structure(lambda array: array[order], tuple(source.arrays.values()))
    return tf.data.Dataset.from_tensor_slices(taken)


def values_of(logs):
    """By tag of a trainer, the values of one step that Keras reports."""
    return {tag.replace("loss", "loss/total") if tag == "loss" else tag: float(value) for tag, value in logs.items()}


def compare(make, make_trainer, recorder, make_model, objective, source, *, count=1, replicas=None, trainer=(), **fit):
    """Trains the same start by both, and compares each step, the weights behind them and an evaluation."""
    trained, steps = make_model(), Steps()
    size = BATCH * count
    other = make_trainer(
        model=trained,
        objective=objective,
        optimizer=keras.optimizers.Adam(0.01),
        train=source,
        eval=source,
        strategy=replicas(count),
        batch_size=size,
        steps=STEPS,
        log_every=1,
        reports=[recorder],
        **dict(trainer),
    )
    other.train()
    ours = make(make_model, objective, lambda: keras.optimizers.Adam(0.01), count=count, **fit)
    ours.fit(batches(source, size=size), shuffle=False, callbacks=[steps], verbose=0)
    assert len(steps.logs) == STEPS
    for step, logs in enumerate(steps.logs):
        for tag, value in values_of(logs).items():
            np.testing.assert_allclose(value, recorder.column(tag)[step], **CLOSE, err_msg=f"{tag} of step {step}")
    for mine, its in zip(ours.model.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_allclose(mine, its, **CLOSE)
    evaluated, examples = other.evaluate(), tuple(source.arrays.values())
    found = values_of(ours.evaluate(tf.data.Dataset.from_tensor_slices(examples).batch(8), verbose=0, return_dict=True))
    for tag, value in found.items():
        np.testing.assert_allclose(value, evaluated[tag], **CLOSE, err_msg=tag)


@pytest.fixture
def agrees(make, make_trainer, recorder, replicas):
    return lambda *args, **settings: compare(make, make_trainer, recorder, *args, replicas=replicas, **settings)


def test_each_step_is_that_of_a_trainer(agrees, dict_model, every_reading, source):
    agrees(dict_model, every_reading, source)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "settings"),
    [(1, {"jit_compile": True}), (1, {"run_eagerly": True}), (3, {})],
    ids=["compiled", "eager", "replicas"],
)
def test_each_step_is_that_of_a_trainer_in_every_execution(agrees, dict_model, every_reading, source, count, settings):
    agrees(dict_model, every_reading, source, count=count, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_stars_random_layers_and_batch_statistics_are_those_of_a_trainer(agrees, dense_model, starred, some, count):
    def make_model():
        return dense_model(
            keras.layers.BatchNormalization,
            lambda: keras.layers.Dropout(0.3),
            lambda: keras.layers.Dense(4, name="hidden_two"),
        )

    agrees(make_model, starred, some, count=count)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_is_that_of_a_trainer(agrees, dense_model, objective, plain_source, precision):
    def make_model():
        with building_in(precision):
            return dense_model()

    agrees(make_model, objective, plain_source, count=2, trainer={"precision": precision})


def plain_loop(model, data, sizes, rate=0.1):
    """Gradient descent by one plain tape over whole batches: its loss and its raw terms, batch by batch."""
    hidden = keras.Model(model.inputs, model.get_layer("hidden").output)
    found, first = [], 0
    for step, size in enumerate(sizes):
        x, y, mask, factor = (data[name][first : first + size] for name in ("x", "y", "mask", "factor"))
        first += size
        with tf.GradientTape() as tape:
            out = model({"x": x})["y"]
            masked = tf.reduce_sum(mask * (y - out) ** 2) / tf.reduce_sum(mask)
            weighted = tf.reduce_mean(tf.abs(y - out) * factor[:, None])
            small = tf.reduce_mean(tf.reduce_mean(hidden({"x": x}) ** 2, axis=-1))
            decay = tf.reduce_mean(tf.square(model.get_layer("hidden").kernel))
            loss = masked + 0.5 * weighted + max(0.0, 1 - step / 4) * small + 0.3 * decay
        variables = [variable.value for variable in model.trainable_variables]
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(rate * gradient)
        found.append(
            {"loss": loss, "terms/masked/raw": masked, "terms/weighted/raw": weighted, "terms/decay/raw": decay}
        )
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "settings"),
    [(1, {}), (1, {"jit_compile": True}), (3, {}), (2, {"run_eagerly": True})],
    ids=["plain", "compiled", "replicas", "replicas, eager"],
)
def test_uneven_and_empty_shards_are_those_of_a_plain_loop(make, dict_model, every_reading, data, count, settings):
    """19 examples in batches of 9: the last holds one, which one replica gets alone."""
    some = {name: array[:19] for name, array in data.items()}
    plain = dict_model()
    expected = plain_loop(plain, some, [9, 9, 1])
    fit, steps = make(dict_model, every_reading, count=count, **settings), Steps()
    targets = {"y": some["y"], "mask": some["mask"]}
    fit.fit(
        {"x": some["x"]},
        targets,
        sample_weight=some["factor"],
        batch_size=9,
        shuffle=False,
        verbose=0,
        callbacks=[steps],
    )
    for found, values in zip(steps.logs, expected, strict=True):
        for tag, value in values.items():
            np.testing.assert_allclose(found[tag], value, **CLOSE, err_msg=tag)
    for mine, its in zip(fit.model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, its, **CLOSE)


@pytest.mark.slow
@pytest.mark.parametrize("synchronized", [False, True], ids=["each part", "whole batch"])
def test_an_empty_shard_leaves_no_trace_in_batch_statistics(make, dense_model, data, synchronized):
    """Keras's own fit makes them, and with them all weights, NaN."""
    objective = Objective(data=MeanSquaredError(), apart=Decorrelation(features="activations.hidden", weight=0.1))

    def make_model():
        return dense_model(lambda: keras.layers.BatchNormalization(synchronized=synchronized, name="norm"))

    found = []
    for count in (1, 2):
        fit = make(make_model, objective, count=count)
        history = fit.fit(data["x"][:9], data["y"][:9], batch_size=8, shuffle=False, verbose=0, epochs=2).history
        found.append([*history["loss"], *np.concatenate([np.ravel(weight) for weight in fit.get_weights()])])
    assert np.isfinite(found).all()
    if synchronized:
        np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_clipping_by_the_optimizer_is_that_of_the_whole_gradient_on_replicas(make, dense_model, objective, data):
    def make_optimizer():
        return keras.optimizers.AdamW(0.01, weight_decay=0.1, global_clipnorm=0.05, use_ema=True, ema_momentum=0.5)

    trained = []
    for count in (1, 2):
        fit = make(dense_model, objective, make_optimizer, count=count)
        fit.fit(data["x"], data["y"], batch_size=7, shuffle=False, verbose=0, epochs=2)
        trained.append(fit.model.get_weights())
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


@pytest.mark.slow
def test_a_model_that_mixes_examples_is_refused_on_replicas(make, data):
    class Centred(keras.layers.Layer):
        def call(self, inputs):
            return inputs - keras.ops.mean(inputs, axis=0)

    def make_model():
        return keras.Sequential([keras.Input([3]), Centred(name="centred"), keras.layers.Dense(2)])

    alone = make(make_model, Objective(data=MeanSquaredError()))
    alone.fit(data["x"], data["y"], verbose=0)
    shared = make(make_model, Objective(data=MeanSquaredError()), count=2)
    before = shared.get_weights()
    with pytest.raises(ConfigurationError, match="the layer 'centred' computes the values of an example from other"):
        shared.fit(data["x"], data["y"], verbose=0)
    for one, other in zip(before, shared.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_validation_is_over_every_example_and_nothing_is_traced_again(make, dense_model, objective, data, monkeypatch):
    traced = []
    fit = make(dense_model, objective, metrics=["mae"])
    for name in ("train_step", "test_step"):
        step = getattr(fit, name)
        monkeypatch.setattr(fit, name, lambda data, name=name, step=step: traced.append(name) or step(data))
    x, y = data["x"], data["y"]
    for _ in range(2):
        history = fit.fit(x, y, batch_size=7, epochs=3, validation_data=(x, y), validation_batch_size=6, verbose=0)
    assert traced == ["train_step", "test_step"]
    whole = fit.evaluate(x, y, batch_size=20, verbose=0, return_dict=True)
    assert {f"val_{name}" for name in whole} | {*whole} == {*history.history}
    for name, value in whole.items():
        np.testing.assert_allclose(history.history[f"val_{name}"][-1], value, rtol=1e-6)
    out = fit.predict(x, verbose=0)
    np.testing.assert_allclose(whole["terms/data/raw"], np.mean((out - y) ** 2), rtol=1e-5)
    assert whole["loss"] == pytest.approx(whole["terms/data/weighted"] + whole["terms/small/weighted"])
    assert fit.evaluate(x, y, verbose=0)[0] == pytest.approx(whole["loss"])


def test_an_epoch_is_the_exact_mean_over_what_was_counted_and_of_what_was_optimised(make, dense_model, data):
    """Nothing is learned at a rate of 0, so an epoch of uneven, masked batches is one mean over all values.

    The loss is that of the batches, each as often as it has examples.
    """
    objective = Objective(
        data=MeanSquaredError(y_true="targets.y", mask="targets.mask", sample_weight="sample_weight"),
        none=RangeHinge(mask="targets.none", min_value=9.0, max_value=9.0, weight=0.5),
    )
    fit = make(dense_model, objective, lambda: keras.optimizers.SGD(0.0))
    targets = {"y": data["y"], "mask": data["mask"], "none": np.zeros(20, np.float32)}
    weights = {"sample_weight": data["factor"], "batch_size": 9}
    history = fit.fit(data["x"], targets, **weights, shuffle=False, verbose=0).history
    error = (data["y"] - fit.predict(data["x"], verbose=0)) ** 2 * data["factor"][:, None] * data["mask"]
    expected = np.sum(error) / np.sum(data["mask"])
    np.testing.assert_allclose(history["terms/data/raw"], [expected], rtol=1e-5)
    optimised = [
        len(own) * np.sum(own) / np.sum(mask)
        for own, mask in zip(np.split(error, [9, 18]), np.split(data["mask"], [9, 18]), strict=True)
    ]
    np.testing.assert_allclose(history["loss"], [np.sum(optimised) / 20], rtol=1e-5)
    assert np.isnan(history["terms/none/raw"]).all()
    assert history["terms/none/weighted"] == [0.0]


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_loss_of_uneven_batches_is_that_of_keras(make, dense_model, data, count):
    today = dense_model()
    today.compile(keras.optimizers.SGD(0.1), loss="mse")
    fit = make(dense_model, Objective(data=MeanSquaredError()), count=count)
    given = {"x": data["x"], "y": data["y"], "batch_size": 9, "epochs": 2, "shuffle": False, "verbose": 0}
    assert fit.fit(**given).history["loss"] == pytest.approx(today.fit(**given).history["loss"], rel=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        pytest.param({"steps_per_execution": 3}, marks=pytest.mark.slow),
        pytest.param({"jit_compile": True}, marks=pytest.mark.slow),
    ],
    ids=["single", "several at once", "compiled"],
)
def test_an_update_that_is_not_finite_is_not_made_and_named(make, dense_model, objective, data, settings):
    fit = make(lambda: dense_model(keras.layers.BatchNormalization), objective, **settings)
    fit.fit(data["x"][:6], data["y"][:6], batch_size=2, verbose=0)
    before = fit.get_weights()
    broken = np.where(np.arange(20)[:, None] == 1, np.nan, data["x"])
    with pytest.raises(
        NonFiniteError, match=r"update of step 4 would not be finite.*raw value of the term 'data' is nan"
    ):
        fit.fit(broken, data["y"], batch_size=2, shuffle=False, verbose=0)
    for one, other in zip(before, fit.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert int(fit.optimizer.iterations.numpy()) == 3
    fit.fit(data["x"], data["y"], verbose=0)


@pytest.mark.slow
def test_weights_that_a_finite_gradient_makes_infinite_end_the_epoch_before_they_are_saved(make, dense_model, data):
    saved = []
    fit = make(dense_model, Objective(data=MeanSquaredError()), lambda: keras.optimizers.SGD(3e38))
    last = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: saved.append(epoch))
    with pytest.raises(NonFiniteError, match=r"after 1 update '.*' is -?(inf|nan), while gradients were finite: SGD"):
        fit.fit(data["x"], 100 * data["y"], callbacks=[last], verbose=0)
    assert saved == []


LABELS = np.where(np.arange(20) == 9, 5, 1)


@pytest.fixture
def classify(make, dense_model):
    """Makes a classifier of two classes."""
    return lambda **settings: make(
        dense_model,
        Objective(data=KerasLoss(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))),
        **settings,
    )


def by_four(*arrays):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(4)


def test_a_label_of_a_dataset_out_of_range_is_named(classify, data):
    with pytest.raises(NonFiniteError, match=r"the labels 'targets' of the term 'data': found 5; expected .* 0 to 1"):
        classify().fit(by_four(data["x"], LABELS), verbose=0)


def test_a_label_of_arrays_out_of_range_is_named_with_its_example_before_the_first_update(classify, data):
    fit, x = classify(), data["x"]
    told = r"the {}: the labels 'targets' of the term 'data': found 5 in example 9; expected .* 0 to 1"
    with pytest.raises(ConfigurationError, match=told.format("examples")):
        fit.fit(x, LABELS, verbose=0)
    with pytest.raises(ConfigurationError, match=told.format("validation data")):
        fit.fit(x, LABELS.clip(0, 1), validation_data=(x, LABELS), verbose=0)
    with pytest.raises(ConfigurationError, match=told.format("examples")):
        fit.evaluate(x, LABELS, verbose=0)
    assert not fit.optimizer.built


def test_labels_of_validation_are_looked_through_once_and_anew_in_the_next_call(classify, data, monkeypatch):
    looked_at = []
    monkeypatch.setattr(objective_model, "refuse_outside_arrays", lambda _, batch, *more: looked_at.append(len(batch)))
    fit, examples = classify(), (data["x"], LABELS.clip(0, 1))
    fit.fit(*examples, validation_data=examples, epochs=3, verbose=0)
    assert len(looked_at) == 2
    fit.evaluate(*examples, verbose=0)
    assert len(looked_at) == 3


@pytest.mark.parametrize(
    "kind", ["float64", "float16", "int8", "bool", "uint32", "U2", "longdouble", "object", "datetime64[s]"]
)
def test_the_spec_of_an_array_is_that_of_its_tensor(kind):
    array = np.zeros([2, 3]).astype(kind)
    try:
        expected = tf.TensorSpec.from_tensor(tf.convert_to_tensor(array))
    except ValueError as error:
        with pytest.raises(ValueError, match=re.escape(str(error))):
            objective_model._spec(array)
    else:
        assert objective_model._spec(array) == expected


@pytest.mark.parametrize(
    "settings", [{}, pytest.param({"count": 2}, marks=pytest.mark.slow)], ids=["one device", "replicas"]
)
def test_an_evaluation_of_a_dataset_names_a_label_out_of_range_once(classify, data, settings):
    fit, good, bad = classify(**settings), by_four(data["x"], LABELS.clip(0, 1)), by_four(data["x"], LABELS)
    told = r"the evaluated examples: the labels 'targets' of the term 'data': found 5; expected .* from 0 to 1"
    with pytest.raises(ConfigurationError, match=told):
        fit.fit(good, validation_data=bad, verbose=0)
    with pytest.raises(ConfigurationError, match=told):
        fit.evaluate(bad, verbose=0)
    assert np.isfinite(fit.evaluate(good, verbose=0)).all()


def test_an_evaluation_that_is_not_finite_is_noted_by_its_terms(make, dense_model, data, caplog):
    terms = {
        "data": MeanSquaredError(y_true="targets.y"),
        "none": MeanSquaredError(y_true="targets.y", mask="targets.no"),
    }
    fit, targets = make(dense_model, Objective(**terms)), {"y": data["y"], "no": np.zeros_like(data["y"])}
    fit.evaluate(data["x"], targets, verbose=0)
    assert "not finite" not in caplog.text
    fit.evaluate(np.where(data["x"] > 1, np.nan, data["x"]), targets, verbose=0)
    assert "not finite: loss is nan, terms/data/raw is nan, terms/data/weighted is nan; look for NaN" in caplog.text


def refusals():
    """What is wrong, and how it is told."""
    yield {"objective": {"data": MeanSquaredError(y_pred="outputs.z")}}, "has no part 'z'"
    hidde = ActivationPenalty(activation="activations.hidde")
    yield {"objective": {"data": MeanSquaredError(), "small": hidde}}, "did you mean 'activations.hidden'"
    hidden = ActivationPenalty(activation="activations.hidden")
    yield (
        {"objective": {"small": hidden}},
        r"no term depends on head/kernel.*ObjectiveModel\(..., allow_unreached=True\)",
    )
    yield (
        {"objective": {"data": FunctionTerm(fn=lambda y_true, y_pred: y_true - y_pred[:, :1])}, "y": 0},
        "are broadcast",
    )
    yield {"objective": {"data": MeanSquaredError(mask="targets.m")}, "y": {"m": 2.0}}, "the mask 'targets.m'.*found 2"
    yield {"sample_weight": np.ones(20)}, r"\(by sample_weight or class_weight\) a sample_weight that no term reads"
    yield {"objective": {"data": MeanSquaredError(sample_weight="sample_weight")}}, "this run has no sample_weight"


@pytest.mark.parametrize(("given", "message"), [*refusals()])
def test_mistakes_are_told_before_the_first_update(make, dense_model, data, given, message):
    fit = make(dense_model, Objective(**given.get("objective", {"data": MeanSquaredError()})))
    y = given.get("y", slice(None))
    y = data["y"][:, y] if not isinstance(y, dict) else {"y": data["y"], "m": np.full([20, 2], y["m"])}
    with pytest.raises(ConfigurationError, match=message):
        fit.fit(data["x"], y, sample_weight=given.get("sample_weight"), verbose=0)
    assert not fit.optimizer.built or int(fit.optimizer.iterations.numpy()) == 0


def test_validation_data_are_looked_at_before_the_first_update(make, dense_model, objective, data):
    fit = make(dense_model, objective)
    with pytest.raises(ConfigurationError, match=r"validation_data: an example of targets has the shape"):
        fit.fit(data["x"], data["y"], validation_data=(data["x"], data["y"][:, 0]), verbose=0)
    assert not fit.optimizer.built


def test_a_callback_that_monitors_no_term_is_told_before_the_first_update(make, dense_model, objective, data):
    fit = make(dense_model, objective)
    stopping = keras.callbacks.EarlyStopping("terms/dat/raw")
    with pytest.raises(ConfigurationError, match="did you mean 'terms/data/raw'"):
        fit.fit(data["x"], data["y"], callbacks=[stopping], verbose=0)
    assert int(fit.optimizer.iterations.numpy()) == 0


def test_losses_of_the_model_itself_are_refused_as_by_a_trainer(make, data):
    def make_model():
        return keras.Sequential([keras.Input([3]), keras.layers.Dense(2, kernel_regularizer="l2")])

    with pytest.raises(ConfigurationError, match=r"the model adds 1 loss of its own .* WeightDecay"):
        make(make_model, Objective(data=MeanSquaredError())).fit(data["x"], data["y"], verbose=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "mse"}, r"compile was given loss; expected none: a loss is a term here: .*KerasLoss"),
        ({"loss_weights": [1.0]}, r"compile was given loss_weights"),
        ({"optimizer": None}, r"the optimizer is None; expected an optimizer such as"),
        ({"weighted_metrics": [keras.metrics.Mean("loss")]}, r"a metric of compile is named 'loss', which"),
        ({"optimizer": keras.optimizers.SGD(gradient_accumulation_steps=2)}, "which averages the gradients of batches"),
    ],
)
def test_what_fit_would_get_wrong_is_refused_by_compile(dense_model, objective, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        ObjectiveModel(dense_model(), objective).compile(**settings)


def test_on_replicas_xla_and_an_optimizer_of_elsewhere_are_refused(make, dense_model, objective, replicas):
    with pytest.raises(ConfigurationError, match="XLA cannot compile an update that 2 replicas share"):
        make(dense_model, objective, count=2, jit_compile=True)
    elsewhere = keras.optimizers.SGD(0.1)
    with pytest.raises(ConfigurationError, match="SGD, was made outside of the scope"):
        make(dense_model, objective, lambda: elsewhere, count=2)
    model = dense_model()
    with replicas(2).scope(), pytest.raises(ConfigurationError, match="was made outside of the scope of this Mirrored"):
        ObjectiveModel(model, objective)


def test_what_a_trainer_alone_has_is_refused_with_where_it_is(dense_model, objective):
    message = r"has no 'balancer', which is a setting of Trainer; expected Trainer\(model=..., objective=..., balancer="
    with pytest.raises(ConfigurationError, match=message):
        ObjectiveModel(dense_model(), objective, balancer=UPGrad())
    with pytest.raises(ConfigurationError, match="has no 'nam'; did you mean 'name'"):
        ObjectiveModel(dense_model(), objective, nam="mine")


def test_only_a_model_and_an_objective_make_one(dense_model, objective):
    with pytest.raises(ConfigurationError, match=r"objective is a dict; expected ObjectiveModel\(model, objective\)"):
        ObjectiveModel(dense_model(), {"data": MeanSquaredError()})
    with pytest.raises(ConfigurationError, match="model is a ObjectiveModel; expected"):
        ObjectiveModel(ObjectiveModel(dense_model(), objective), objective)


def test_a_change_that_a_traced_step_does_not_notice_is_refused(fitted, data):
    fit, _ = fitted()
    fit.model.get_layer("hidden").trainable = False
    with pytest.raises(
        ConfigurationError, match="hidden.trainable was True before the first step.*`compile` once more"
    ):
        fit.fit(data["x"], data["y"], verbose=0)


@pytest.mark.slow
def test_what_layers_change_themselves_as_they_are_called_is_their_own(make, data):
    def make_model():
        layers = [keras.layers.Reshape([3, 1]), keras.layers.LSTM(4), keras.layers.Dense(2)]
        return keras.Sequential([keras.Input([3]), *layers])

    fit = make(make_model, Objective(data=MeanSquaredError()))
    fit.train_on_batch(data["x"], data["y"])
    for _ in range(2):
        fit.fit(data["x"], data["y"], validation_data=(data["x"], data["y"]), verbose=0)
        fit.evaluate(data["x"], data["y"], verbose=0)


def test_an_operation_that_fails_is_told_with_its_place(make, dense_model, data):
    def fails(y_true, y_pred):
        tf.debugging.assert_less(y_true, 1.0, message="too large")
        return y_true - y_pred

    fit = make(dense_model, Objective(data=FunctionTerm(fn=fails)))
    with pytest.raises(ConfigurationError, match=r"an update fails: .*test_objective_model.py, line \d+: .*too large"):
        fit.fit(data["x"], 9 + data["y"], verbose=0)


@pytest.mark.slow
def test_callbacks_of_keras_work_with_the_terms(make, dense_model, objective, data, tmp_path):
    callbacks = keras.callbacks
    fit = make(dense_model, objective, metrics=["mae"])
    more = [
        callbacks.EarlyStopping("val_terms/data/raw", patience=1, restore_best_weights=True, min_delta=10.0),
        callbacks.ReduceLROnPlateau("val_terms/small/weighted", patience=0, min_delta=10.0, factor=0.5),
        callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="val_loss", save_best_only=True),
        callbacks.TensorBoard(tmp_path / "board", update_freq=1),
    ]
    history = fit.fit(data["x"], data["y"], validation_split=0.25, epochs=9, callbacks=more, verbose=0).history
    assert len(history["loss"]) == 2
    assert float(fit.optimizer.learning_rate.numpy()) == pytest.approx(0.05)
    loaded = keras.models.load_model(tmp_path / "best.keras")
    assert not isinstance(loaded, ObjectiveModel)
    assert loaded(data["x"]).shape == (20, 2)
    assert {"epoch_terms/data/raw", "epoch_terms/small/weighted"} <= tags_of(tmp_path / "board" / "validation")
    assert {"batch_terms/data/raw", "epoch_loss"} <= tags_of(tmp_path / "board" / "train")


def tags_of(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return {*events.Tags()["tensors"]}


@pytest.mark.slow
def test_a_backup_restores_the_optimizer_and_with_it_the_step_of_schedules(
    make, dense_model, objective, data, tmp_path
):
    def train(epochs):
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)
        fit = make(dense_model, objective, lambda: keras.optimizers.Adam(0.01))
        history = fit.fit(
            data["x"], data["y"], batch_size=5, epochs=epochs, shuffle=False, callbacks=[backup], verbose=0
        )
        return fit, history.history["loss"]

    train(2)
    resumed, later = train(4)
    whole = make(dense_model, objective, lambda: keras.optimizers.Adam(0.01))
    losses = whole.fit(data["x"], data["y"], batch_size=5, epochs=4, shuffle=False, verbose=0).history["loss"]
    assert int(resumed.optimizer.iterations.numpy()) == 16
    resumed.save_weights(tmp_path / "all.weights.h5")
    again = make(dense_model, objective, lambda: keras.optimizers.Adam(0.01))
    again.load_weights(tmp_path / "all.weights.h5")
    assert int(again.optimizer.iterations.numpy()) == 16
    np.testing.assert_allclose(later, losses[2:], rtol=1e-6)


@pytest.mark.slow
def test_the_model_inside_is_the_trained_one(fitted, make_trainer, dense_model, objective, data, tmp_path):
    fit, _ = fitted()
    expected = fit.predict(data["x"], verbose=0)
    np.testing.assert_array_equal(fit.model.predict(data["x"], verbose=0), expected)
    fit.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        keras.models.load_model(tmp_path / "model.keras").predict(data["x"], verbose=0), expected
    )
    with pytest.raises(ConfigurationError, match="expected its attribute `model` in its place"):
        keras.models.clone_model(fit)
    clone = ObjectiveModel(keras.models.clone_model(fit.model), objective)
    clone.compile("sgd")
    assert clone.train_on_batch(data["x"], data["y"])[0] > 0
    make_trainer(model=fit.model).train()
    assert not np.array_equal(fit.predict(data["x"], verbose=0), expected)
    other = ObjectiveModel(fit.model, objective)
    other.compile("sgd")
    other.fit(data["x"], data["y"], verbose=0)
    np.testing.assert_array_equal(fit.predict(data["x"], verbose=0), other.predict(data["x"], verbose=0))


@pytest.mark.slow
def test_models_are_built_by_their_first_batch(make, objective, data):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden, self.head = keras.layers.Dense(4, name="hidden"), keras.layers.Dense(2)

        def call(self, inputs):
            return self.head(self.hidden(inputs))

    def late():
        return keras.Sequential([keras.layers.Dense(4, name="hidden"), keras.layers.Dense(2)])

    for make_model, count in ((Own, 1), (Own, 2), (late, 1)):
        fit = make(make_model, objective, count=count, metrics=["mae"])
        losses = fit.fit(data["x"], data["y"], epochs=3, verbose=0).history["loss"]
        assert losses[-1] < losses[0]


class Pairs(keras.utils.PyDataset):
    """The examples of the data, five a batch."""

    def __init__(self, data):
        super().__init__()
        self._data = data

    def __len__(self):
        return 4

    def __getitem__(self, i):
        rows = slice(5 * i, 5 * i + 5)
        return self._data["x"][rows], self._data["y"][rows]


@pytest.mark.slow
def test_every_form_of_data_gives_the_same_numbers(make, dense_model, objective, data):
    x, y = data["x"], data["y"]
    forms = {
        "arrays": {"x": x, "y": y, "batch_size": 5},
        "tensors": {"x": tf.constant(x), "y": tf.constant(y), "batch_size": 5},
        "dataset": {"x": tf.data.Dataset.from_tensor_slices((x, y)).batch(5)},
        "generator": {"x": (Pairs(data)[i] for i in range(4)), "steps_per_epoch": 4},
        "PyDataset": {"x": Pairs(data)},
    }
    found = {}
    for name, given in forms.items():
        fit = make(dense_model, objective, count=2 if name in ("PyDataset", "generator") else 1)
        found[name] = fit.fit(**given, shuffle=False, verbose=0).history["loss"][0]
    assert list(found.values()) == pytest.approx([found["arrays"]] * len(forms))


@pytest.mark.slow
def test_weights_of_classes_and_of_several_targets_are_read_by_terms(make, dict_model, dense_model, data):
    labels = (data["x"][:, 0] > 0).astype(int)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    weighted = Objective(data=KerasLoss(loss=loss, sample_weight="sample_weight"))
    still = {"optimizer": lambda: keras.optimizers.SGD(0.0)}
    fit = make(dense_model, weighted, **still)
    given = {"class_weight": {0: 1.0, 1: 3.0}, "validation_data": (data["x"], labels), "verbose": 0}
    history = fit.fit(data["x"], labels, **given).history
    each = keras.losses.sparse_categorical_crossentropy(labels, fit.predict(data["x"], verbose=0), from_logits=True)
    assert history["loss"] == pytest.approx([np.mean(each * np.where(labels, 3.0, 1.0))])
    assert history["val_loss"] == pytest.approx([np.mean(each)])
    # Keras makes a weight for each of several targets of the only one that is given.
    keys = {"y_true": "targets.y", "y_pred": "outputs.y", "sample_weight": "sample_weight"}
    fit = make(dict_model, Objective(data=MeanSquaredError(**keys)), **still)
    targets = {"y": data["y"], "other": data["y"]}
    history = fit.fit({"x": data["x"]}, targets, sample_weight=data["factor"], verbose=0).history
    error = (data["y"] - fit.predict({"x": data["x"]}, verbose=0)["y"]) ** 2
    assert history["loss"] == pytest.approx([np.mean(error * data["factor"][:, None])], rel=1e-5)
    with pytest.raises(NonFiniteError, match="raw value of the term 'data' is nan"):
        fit.fit({"x": data["x"]}, targets, sample_weight={"y": data["factor"], "other": np.ones(20)}, verbose=0)


def test_the_bar_shows_each_term_by_its_name(make, dense_model, objective, data, capsys):
    fit = make(dense_model, objective)
    fit.fit(data["x"], data["y"], validation_data=(data["x"], data["y"]), verbose=2)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "loss" in line]
    names = [part.split(": ")[0] for part in line.split(" - ") if ": " in part]
    assert names == ["loss", "data", "small", "val_loss", "val_data", "val_small"]
