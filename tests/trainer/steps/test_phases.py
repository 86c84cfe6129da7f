"""Phases: layers are frozen until a step or from a step on, with the numbers of a plain loop that sets `trainable`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, OptimizerGroup, TrainableFrom
from trainer.steps.phases import phases_of

STEPS = 6


@pytest.fixture
def nested():
    """Makes a model around an encoder with batch normalization and dropout of nothing."""

    def make(synchronized=False):
        keras.utils.set_random_seed(1)
        inputs = keras.Input([3])
        hidden = keras.layers.Dense(4, activation="tanh", name="hidden")(inputs)
        hidden = keras.layers.BatchNormalization(name="norm", synchronized=synchronized)(hidden)
        encoder = keras.Model(inputs, hidden, name="encoder")
        outer = keras.Input([3])
        return keras.Model(outer, keras.layers.Dense(2, name="head")(encoder(outer)))

    return make


def adam():
    return keras.optimizers.AdamW(0.02, weight_decay=0.1)


@pytest.fixture
def make(make_trainer, nested, data):
    """Makes a trainer on whole batches in order; `frozen` are the fields of one TrainableFrom of the encoder."""

    def run(frozen, *, model=None, **settings):
        settings.setdefault("optimizer", adam())
        return make_trainer(
            model=model or nested(),
            objective=Objective(data=MeanSquaredError()),
            trainable=TrainableFrom(layers="encoder/.*", **frozen) if frozen else (),
            train=ArraySource(data["x"][:18], data["y"][:18], shuffle=False),
            **{"batch_size": 18, "steps": STEPS, **settings},
        )

    return run


def by_hand(model, data, is_trained, steps=STEPS):
    """Trains in a plain loop that sets `trainable` before each update; all variables of the optimizer too."""
    optimizer = adam()
    optimizer.build(model.trainable_variables)
    for step in range(steps):
        model.get_layer("encoder").trainable = is_trained(step)
        variables = model.trainable_variables
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(data["x"][:18], training=True) - data["y"][:18]))
        optimizer.apply(tape.gradient(loss, variables), variables)
    model.get_layer("encoder").trainable = True
    return [*model.get_weights(), *(variable.numpy() for variable in optimizer.variables)]


def values(trainer, optimizer=None):
    optimizer = optimizer or trainer.optimizer
    return [*trainer.model.get_weights(), *(variable.numpy() for variable in optimizer.variables)]


def of_encoder(trainer):
    """The values that a frozen encoder must leave alone, by path: weights, statistics and slots of the optimizer."""
    variables = (*trainer.model.variables, *trainer.optimizer.variables)
    return {v.path: v.numpy() for v in variables if "hidden" in v.path or "norm" in v.path}


WINDOWS = [
    pytest.param({"step": 3}, lambda step: step >= 3, id="released"),
    pytest.param({"until": 2}, lambda step: step < 2, id="frozen"),
    pytest.param({"step": 2, "until": 4}, lambda step: 2 <= step < 4, id="between"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("frozen", "is_trained"), WINDOWS)
def test_a_run_is_that_of_a_loop_that_sets_trainable(make, nested, data, frozen, is_trained):
    trainer = make(frozen)
    trainer.train()
    for ours, expected in zip(values(trainer), by_hand(nested(), data, is_trained), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=5e-6)
    assert trainer.optimizer.iterations.numpy() == STEPS


@pytest.mark.slow
@pytest.mark.parametrize(("count", "execution"), [(1, "xla_step"), (1, "xla_loop"), (2, "graph"), (3, "graph")])
def test_so_it_is_in_each_execution_and_on_replicas(make, nested, data, replicas, count, execution):
    trainer = make({"step": 3}, model=nested(synchronized=True), strategy=replicas(count), execution=execution)
    trainer.train()
    expected = by_hand(nested(), data, lambda step: step >= 3)
    for ours, value in zip(values(trainer), expected, strict=True):
        np.testing.assert_allclose(ours, value, rtol=1e-3, atol=1e-5)


def test_what_is_frozen_keeps_its_bits_with_its_statistics_and_slots(make):
    trainer = make({"step": 2}, steps=3)
    states = [of_encoder(trainer)]
    for step in (1, 2, 3):
        trainer.train(until=step)
        states.append(of_encoder(trainer))
    assert len(states[0]) == 6 + 2 * 4
    for path, value in states[0].items():
        np.testing.assert_array_equal(states[2][path], value)
        assert not np.array_equal(states[3][path], value), path


@pytest.mark.slow
def test_two_calls_of_fit_with_one_optimizer_give_the_same_weights(make, nested, data):
    trainer = make({"step": 3})
    trainer.train()
    model, optimizer = nested(), adam()
    optimizer.build(model.trainable_variables)
    for is_trained in (False, True):
        model.get_layer("encoder").trainable = is_trained
        model.compile(optimizer, "mse")
        model.fit(data["x"][:18], data["y"][:18], batch_size=18, epochs=3, shuffle=False, verbose=0)
    for ours, expected in zip(trainer.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


def test_a_run_without_phases_has_the_bits_of_one_whose_phase_never_begins(make):
    plain, late = make({}, steps=2), make({"until": 10}, steps=2)
    for trainer in (plain, late):
        trainer.train()
    for one, other in zip(values(plain), values(late), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize(("stop", "count"), [(2, 1), (3, 1), (3, 2), (4, 1)])
def test_a_run_that_was_stopped_near_a_boundary_ends_with_the_same_bits(make, replicas, tmp_path, stop, count):
    settings = {"average_momentum": 0.9, "log_every": 2, "strategy": replicas(count)}
    whole = make({"step": 3}, **settings)
    whole.train()
    make({"step": 3}, workdir=tmp_path, **settings).train(until=stop)
    resumed = make({"step": 3}, workdir=tmp_path, **settings)
    resumed.train()
    for one, other in zip(values(resumed), values(whole), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_the_average_of_weights_that_are_frozen_is_the_weights(make):
    trainer = make({"step": 2}, average_momentum=0.9, steps=2)
    trainer.train()
    own = trainer.model.get_layer("encoder").get_weights()
    with trainer.averaged():
        for average, weight in zip(trainer.model.get_layer("encoder").get_weights(), own, strict=True):
            np.testing.assert_array_equal(average, weight)


@pytest.mark.slow
def test_a_group_that_is_frozen_counts_the_updates_of_the_run(make):
    groups = [OptimizerGroup(optimizer=adam(), variables="encoder/.*"), OptimizerGroup(optimizer=adam())]
    trainer = make({"step": 2}, optimizer=None, optimizers=groups, steps=4)
    plain = make({"step": 2}, steps=4)
    for one in (trainer, plain):
        one.train()
    assert [int(group.optimizer.iterations.numpy()) for group in groups] == [4, 4]
    for ours, expected in zip(trainer.model.get_weights(), plain.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.slow
def test_layers_are_released_one_after_the_other(make_trainer, dense_model, plain_source):
    model = dense_model(lambda: keras.layers.Dense(4, name="middle"))
    later = [TrainableFrom(layers="middle", step=1), TrainableFrom(layers="hidden", step=2)]
    trainer = make_trainer(model=model, trainable=later, train=plain_source)
    kernels = {name: model.get_layer(name).kernel for name in ("head", "middle", "hidden")}
    for step, moved in ((1, {"head"}), (2, {"head", "middle"}), (3, {"head", "middle", "hidden"})):
        before = {name: kernel.numpy() for name, kernel in kernels.items()}
        trainer.train(until=step)
        assert {name for name in kernels if not np.array_equal(kernels[name], before[name])} == moved


def test_all_phases_are_told_and_compiled_before_the_first_update(make, recorder, monkeypatch):
    trainer = make({"step": 2}, steps=3, reports=[recorder])
    traced = []
    monkeypatch.setattr(recorder, "start", lambda run: traced.append((run, trainer._run.program.stages.all)))
    notes = []
    monkeypatch.setattr(recorder, "note", notes.append)
    trainer.train()
    ((run, stages),) = traced
    told = "2 phases, each with a step that is compiled before the first update: encoder/.* frozen until step 2;"
    assert [line for line in run.headline if "phases" in line] == [f"{told} nothing frozen from step 2 on"]
    assert all(stage.builder.built == ["graph"] for stage in stages)
    assert notes == ["step 2: nothing frozen from step 2 on"]


def test_what_the_user_froze_stays_frozen(make, nested):
    model = nested()
    model.get_layer("encoder").get_layer("norm").trainable = False
    trainer = make({"step": 1}, model=model, steps=2)
    before = model.get_layer("encoder").get_layer("norm").get_weights()
    trainer.train()
    for value, first in zip(model.get_layer("encoder").get_layer("norm").get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, first)
    assert not model.get_layer("encoder").get_layer("norm").trainable


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"layers": "encoder"}, "by which no layer is ever frozen; expected the step"),
        ({"layers": "encoder", "step": 5, "until": 5}, "until is 5; expected a step after 5"),
        ({"layers": "(", "step": 5}, "layers is '\\('; expected a regular expression"),
        ({"layers": "encoder", "step": -1}, "step is -1; expected a whole number of at least 0"),
    ],
)
def test_fields_that_change_nothing_or_do_not_fit_are_refused(fields, found):
    with pytest.raises(ConfigurationError, match=found):
        TrainableFrom(**fields)


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([("encodr/.*", 1)], r"'encodr/\.\*' matches no whole path; did you mean 'encoder/\.\*'"),
        ([("encoder", 1), ("encoder/norm", 2)], "'encoder' and 'encoder/norm' share norm/gamma, norm/beta"),
        ([(".*", 2)], "all trainable variables are frozen from step 0 to step 2, where nothing would be learned"),
        ([("encoder/frozen", 2)], "'encoder/frozen' matches frozen, without any trainable variable"),
    ],
)
def test_layers_that_cannot_be_frozen_so_are_refused(nested, entries, found):
    model = nested()
    encoder = model.get_layer("encoder")
    frozen = keras.layers.Dense(4, name="frozen", trainable=False)
    encoder = keras.Model(encoder.input, frozen(encoder.output), name="encoder")
    inputs = keras.Input([3])
    model = keras.Model(inputs, keras.layers.Dense(2, name="head")(encoder(inputs)))
    asked = [TrainableFrom(layers=layers, step=step) for layers, step in entries]
    with pytest.raises(ConfigurationError, match=f"Trainer.trainable: .*{found}"):
        phases_of(model, asked, steps=10, owners={None: model.trainable_variables})


def test_a_phase_in_which_no_term_reaches_what_is_trained_is_refused_before_the_first_update(
    make_trainer, weight_decay
):
    settings = {"objective": Objective(decay=weight_decay()), "allow_unreached": True}
    trainer = make_trainer(trainable=TrainableFrom(layers="hidden", until=3), **settings)
    with pytest.raises(
        ConfigurationError, match="no term depends on any .*, while Trainer.trainable freezes hidden; n"
    ):
        trainer.train()
    assert trainer.step == 0


def test_layers_that_are_frozen_to_the_end_are_told(make, recorder):
    trainer = make({"step": 10}, steps=1, reports=[recorder])
    assert trainer.describe_phases() == ["encoder/.* frozen in all steps"]
    trainer.train()
    assert "encoder/.* frozen in all steps" in recorder.run.headline


@pytest.mark.slow
def test_a_changed_step_is_shown_when_a_run_resumes(make, tmp_path):
    make({"step": 2}, workdir=tmp_path).train(until=1)
    with pytest.raises(ConfigurationError) as error:
        make({"step": 3}, workdir=tmp_path)
    assert "  TrainableFrom.step (Trainer.trainable): 2 -> 3" in error.value.messages
