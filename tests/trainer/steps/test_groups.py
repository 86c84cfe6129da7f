"""Groups: each optimizer updates its variables as in a loop by hand, with one gradient, one clipping and one count."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, OptimizerGroup
from trainer.executions.non_finite import NonFiniteError
from trainer.steps.groups import Group
from trainer.steps.precision import building_in

EXECUTIONS = ("graph", "xla_step", "xla_loop")


def decay():
    return keras.optimizers.schedules.ExponentialDecay(0.02, decay_steps=2, decay_rate=0.5)


def optimizers():
    """Two optimizers, one with a schedule, the other with momentum and weight decay."""
    return keras.optimizers.Adam(decay()), keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=0.01)


def breaking_off():
    """A schedule that is finite at the first step only."""
    return keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=float("inf"))


def two_groups(first=None, second=None):
    one, other = optimizers()
    return [
        OptimizerGroup(optimizer=first or one, variables="hidden/.*"),
        OptimizerGroup(optimizer=second or other),
    ]


@pytest.fixture
def train(make_trainer, data):
    """Trains for four steps on whole batches in order, and returns the trainer."""

    def run(optimizers, *, train=True, **settings):
        source = ArraySource(data["x"], data["y"], shuffle=False)
        settings = {"batch_size": 20, "steps": 4, "clip_norm": 0.5, "log_every": 1, **settings}
        optimizer = settings.pop("optimizer", None)
        objective = Objective(data=MeanSquaredError())
        trainer = make_trainer(
            optimizer=optimizer, optimizers=optimizers, objective=objective, train=source, **settings
        )
        if train:
            trainer.train()
        return trainer

    return run


def by_hand(model, data, steps=4):
    """Trains in a plain loop: one gradient, clipped as a whole, of which each optimizer applies its part."""
    first, second = optimizers()
    variables = model.trainable_variables
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(data["x"], training=True) - data["y"]))
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 0.5)
        first.apply(gradients[:2], variables[:2])
        second.apply(gradients[2:], variables[2:])
    return model.get_weights()


def bits(trainer):
    """Everything that a run has learned, without the names that Keras numbers."""
    return [*trainer._run.program.training_state.arrays().values()]


def require_equal(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", ["Nadam", "Adam"])
def test_updates_without_a_variable_of_a_group_count_as_those_of_other_variables_do(kind):
    make = getattr(keras.optimizers, kind)
    moved, expected, other = (keras.Variable(1.0) for _ in range(3))
    group, alone = Group(name="late", optimizer=make(0.1), variables=[moved]), make(0.1)
    group.optimizer.build([moved])
    alone.build([expected, other])
    for _ in range(30):
        group.apply({})
        alone.apply([tf.constant(1.0)], [other])
    group.apply({id(moved): tf.constant(2.0)})
    alone.apply([tf.constant(2.0)], [expected])
    assert moved.numpy() == expected.numpy() != 1.0
    assert group.optimizer.iterations.numpy() == 31


def test_each_optimizer_updates_its_variables_as_in_a_loop_by_hand(train, dense_model, data, recorder):
    trainer = train(two_groups(), reports=[recorder])
    for ours, expected in zip(trainer.model.get_weights(), by_hand(dense_model(), data), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)
    rates = [0.02 * 0.5 ** (step / 2) for step in range(4)]
    assert recorder.column("optimizer/hidden/learning_rate") == pytest.approx(rates)
    assert recorder.column("optimizer/rest/learning_rate") == pytest.approx([0.1] * 4)
    assert "optimizer/learning_rate" not in recorder.lines[0].values
    assert [group.optimizer.iterations.numpy() for group in trainer.optimizers] == [4, 4]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "execution", "micro_batches"), [(1, "xla_loop", 2), (3, "graph", 2), (2, "xla_step", 1)]
)
def test_so_it_does_however_a_batch_is_cut_and_run(train, dense_model, data, replicas, count, execution, micro_batches):
    trainer = train(two_groups(), strategy=replicas(count), execution=execution, accumulate_steps=micro_batches)
    for ours, expected in zip(trainer.model.get_weights(), by_hand(dense_model(), data), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("execution", [pytest.param(one, marks=pytest.mark.slow) for one in EXECUTIONS])
def test_one_group_of_everything_has_the_bits_of_the_plain_optimizer(train, execution):
    settings = {"execution": execution, "average_momentum": 0.9}
    plain = train((), optimizer=keras.optimizers.AdamW(0.01), **settings)
    group = train([OptimizerGroup(optimizer=keras.optimizers.AdamW(0.01))], **settings)
    require_equal(bits(group), bits(plain))


def test_one_group_needs_no_list(train):
    group = OptimizerGroup(optimizer=keras.optimizers.SGD(0.1))
    assert [*train(group, steps=1).optimizers] == [group]
    assert group.optimizer.iterations.numpy() == 1


@pytest.mark.slow
def test_groups_of_equal_optimizers_have_the_bits_of_one_optimizer(train):
    plain = train((), optimizer=keras.optimizers.Adam(0.01))
    groups = train(two_groups(keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.01)))
    require_equal(groups.model.get_weights(), plain.model.get_weights())


@pytest.mark.slow
def test_an_update_that_overflows_in_half_precision_is_left_out_for_all_groups(make_trainer, dense_model, data):
    with building_in("mixed_float16"):
        model = dense_model()
    x = data["x"][:6].copy()
    x[5] = np.inf
    settings = {"precision": "mixed_float16", "batch_size": 3, "steps": 3}
    trainer = make_trainer(
        model=model, optimizer=None, optimizers=two_groups(), train=ArraySource(x, data["y"][:6]), **settings
    )
    trainer.train()
    assert {int(group.optimizer.iterations.numpy()) for group in trainer.optimizers} == {2}


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_a_run_that_was_stopped_ends_with_the_bits_of_one_that_was_not(train, replicas, tmp_path, count):
    settings = {"strategy": replicas(count), "average_momentum": 0.9, "clip_norm": 0.5}
    whole = train(two_groups(), **settings)
    train(two_groups(), workdir=tmp_path, train=False, **settings).train(until=2)
    resumed = train(two_groups(), workdir=tmp_path, **settings)
    require_equal(bits(resumed), bits(whole))


@pytest.mark.slow
def test_a_changed_setting_of_a_group_is_shown(train, tmp_path):
    train(two_groups(), workdir=tmp_path, train=False).train(until=1)
    train(two_groups(), workdir=tmp_path, train=False)
    with pytest.raises(ConfigurationError) as error:
        train(two_groups(second=keras.optimizers.SGD(0.1, momentum=0.8, weight_decay=0.01)), workdir=tmp_path)
    assert "  SGD.momentum (Trainer.optimizers.rest.optimizer): 0.9 -> 0.8" in error.value.messages
    moved = [OptimizerGroup(optimizer=optimizers()[0], variables="hidden/k.*", name="hidden"), two_groups()[1]]
    with pytest.raises(ConfigurationError, match=r"OptimizerGroup.variables \(Trainer.optimizers.hidden\)"):
        train(moved, workdir=tmp_path)
    with pytest.raises(ConfigurationError, match="Trainer.optimizers: hidden, rest -> all"):
        train([OptimizerGroup(optimizer=optimizers()[0], variables=".*")], workdir=tmp_path)


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        ({"a": "hidden/.*"}, "no group has head/kernel, head/bias; expected each trainable variable in one group"),
        ({"a": "hidden/.*", "b": ".*/kernel", "c": None}, "the groups 'a' and 'b' share hidden/kernel"),
        ({"a": "hiden/.*", "b": None}, r"group 'a': 'hiden/\.\*' matches no whole path; did you mean 'hidden/\.\*'"),
        ({"a": ".*", "b": None}, "group 'b': it has no `variables`, and the other groups leave nothing to it"),
        ({"a": "norm/moving_mean", "b": None}, "group 'a': .* matches norm/moving_mean, of which none is trainable"),
    ],
)
def test_a_variable_without_a_group_or_with_two_is_refused(make_trainer, dense_model, groups, found):
    asked = [
        OptimizerGroup(optimizer=keras.optimizers.SGD(0.1), variables=variables, name=name)
        for name, variables in groups.items()
    ]
    model = dense_model(lambda: keras.layers.BatchNormalization(name="norm", center=False, scale=False))
    with pytest.raises(ConfigurationError, match=f"Trainer.optimizers.*{found}"):
        make_trainer(optimizer=None, optimizers=asked, model=model)


def test_what_an_optimizer_may_not_do_is_refused_by_the_name_of_its_group(make_trainer):
    averaging, unscaling = keras.optimizers.SGD(use_ema=True), keras.optimizers.SGD(loss_scale_factor=2.0)
    groups = two_groups(averaging, unscaling)
    with pytest.raises(ConfigurationError, match=r"(?s)group 'hidden': .* use_ema .*group 'rest': .*loss_scale_factor"):
        make_trainer(optimizer=None, optimizers=groups)


def test_an_optimizer_that_was_built_for_other_variables_is_refused(make_trainer, dense_model):
    used, model = keras.optimizers.SGD(0.1), dense_model()
    used.build(model.trainable_variables)
    with pytest.raises(ConfigurationError, match=r"\(group 'hidden'\) is in use already: .*head/kernel.*not of this g"):
        make_trainer(model=model, optimizer=None, optimizers=two_groups(used))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimizer", "cause"),
    [
        (lambda: keras.optimizers.SGD(breaking_off()), "the learning rate of rest.SGD is inf at this step"),
        (lambda: keras.optimizers.RMSprop(3e38), "rest.RMSprop overflows at a learning rate of 3e\\+38"),
    ],
)
def test_an_update_that_is_not_finite_names_the_optimizer_of_its_variable(train, optimizer, cause):
    with pytest.raises(NonFiniteError, match=f"would make 'head/kernel' .*: {cause}"):
        train(two_groups(second=optimizer()), steps=2)


def test_a_setting_that_is_changed_between_two_calls_is_refused_by_the_name_of_its_group(train):
    trainer = train(two_groups(), train=False)
    trainer.train(until=1)
    trainer.optimizers[1].optimizer.momentum = 0.5
    with pytest.raises(ConfigurationError, match=r"the optimizer's momentum \(group 'rest'\) was 0.9"):
        trainer.train()


def test_learning_rates_may_be_assigned_between_two_calls(train, recorder):
    trainer = train(two_groups(), train=False, reports=[recorder])
    trainer.train(until=2)
    trainer.optimizers[1].optimizer.learning_rate = 0.0
    before = trainer.model.get_layer("hidden").kernel.numpy()
    trainer.train()
    assert recorder.column("optimizer/rest/learning_rate") == pytest.approx([0.1, 0.1, 0.0, 0.0])
    assert not np.array_equal(trainer.model.get_layer("hidden").kernel, before)
