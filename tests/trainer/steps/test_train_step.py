"""The step: its update is that of a plain loop, on any number of replicas, whatever the shards hold."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ActivationPenalty, ConfigurationError, FunctionTerm, MeanSquaredError, Objective, schedules
from trainer import ArraySource
from trainer.reports.log import tensor_names


@pytest.fixture
def five_steps(make_program, dict_model, every_reading, source, replicas):
    """The numbers and the weights of five steps of a small batch on so many replicas."""

    def run(count, batch_size, **settings):
        model = dict_model()
        settings = {"objective": every_reading, "optimizer": keras.optimizers.Adam(0.01), "train": source, **settings}
        program = make_program(model=model, strategy=replicas(count), batch_size=batch_size, **settings)
        return program.train(first_step=0, steps=5), model.get_weights()

    return run


@pytest.mark.parametrize(
    ("count", "batch_size"),
    [
        pytest.param(2, 7, id="uneven halves"),
        pytest.param(3, 2, marks=pytest.mark.slow, id="an empty shard"),
    ],
)
def test_replicas_update_as_one_device_does(five_steps, count, batch_size):
    rows, weights = five_steps(count, batch_size)
    expected_rows, expected_weights = five_steps(1, batch_size)
    np.testing.assert_allclose(rows, expected_rows, atol=1e-5)
    for ours, expected in zip(weights, expected_weights, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-5, rtol=0)


def test_a_batch_whose_every_value_is_masked_changes_nothing(make_trainer, data, replicas):
    source = ArraySource(data["x"], {"y": data["y"], "mask": np.zeros_like(data["mask"])})
    objective = Objective(masked=MeanSquaredError(y_true="targets.y", mask="targets.mask"))
    trainer = make_trainer(objective=objective, train=source, strategy=replicas(2))
    before = trainer.model.get_weights()
    assert trainer.train()["loss/total"] == 0.0
    for ours, expected in zip(trainer.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, expected)


def change_of_one_step(trainer):
    before = np.concatenate([w.ravel() for w in trainer.model.get_weights()])
    trainer.train()
    return np.concatenate([w.ravel() for w in trainer.model.get_weights()]) - before


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_clipping_bounds_the_global_gradient(make_trainer, plain_source, data, replicas, count):
    far = ArraySource(data["x"], data["y"] + 100.0)
    settings = {"optimizer": keras.optimizers.SGD(1.0), "train": far, "steps": 1, "strategy": replicas(count)}
    trainer = make_trainer(clip_norm=1.0, **settings)
    change = change_of_one_step(trainer)
    assert np.linalg.norm(change) == pytest.approx(1.0, abs=1e-5)


def test_clipping_keeps_the_direction_and_leaves_short_gradients_alone(make_trainer):
    def change(clip_norm):
        return change_of_one_step(make_trainer(steps=1, optimizer=keras.optimizers.SGD(1.0), clip_norm=clip_norm))

    free = change(None)
    np.testing.assert_allclose(change(0.01), 0.01 * free / np.linalg.norm(free), atol=1e-7)
    np.testing.assert_array_equal(change(1000.0), free)


def test_the_norm_before_clipping_is_reported(make_program):
    program, free = make_program(clip_norm=1e-3), make_program()
    at = program.tags.index("optimizer/grad_norm")
    assert program.train(first_step=0, steps=1)[0, at] == free.train(first_step=0, steps=1)[0, at] > 1e-3


@pytest.mark.parametrize("count", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_a_term_without_a_batch_counts_once(make_trainer, weight_decay, dense_model, replicas, count):
    settings = {"objective": Objective(decay=weight_decay()), "strategy": replicas(count), "steps": 1}
    trainer = make_trainer(allow_unreached=True, **settings)
    before = dense_model().get_layer("hidden").kernel.numpy()
    values = trainer.train()
    assert values["terms/decay/raw"] == pytest.approx(np.mean(before**2), rel=1e-6)
    # The slope of mean(w^2) is 2 w / size, and the rate is 0.1.
    after = trainer.model.get_layer("hidden").kernel.numpy()
    np.testing.assert_allclose(after, before - 0.1 * 2 * before / before.size, atol=1e-7)


@pytest.mark.parametrize("execution", ["graph", pytest.param("xla_loop", marks=pytest.mark.slow)])
def test_a_term_of_weight_0_may_be_infinite(make_trainer, recorder, execution):
    def infinite(y_pred):
        return tf.square(y_pred) * np.float32(np.inf)

    terms = {"data": MeanSquaredError(), "infinite": FunctionTerm(fn=infinite, weight=0.0)}
    trainer = make_trainer(objective=Objective(**terms), execution=execution, reports=[recorder], log_every=1)
    trainer.train()
    alone = make_trainer(objective=Objective(data=MeanSquaredError()), execution=execution)
    alone.train()
    assert recorder.column("terms/infinite/raw") == [np.inf] * 5
    assert recorder.column("terms/infinite/weighted") == [0.0] * 5
    assert recorder.column("loss/total") == recorder.column("terms/data/raw")
    for ours, expected in zip(trainer.model.get_weights(), alone.model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)


@pytest.mark.parametrize("count", [1, 2])
def test_a_scheduled_weight_is_that_of_its_step_in_any_chunk(make_program, replicas, count):
    ramp = schedules.Linear(first=0.0, last=1.0, steps=4)
    program = make_program(objective=Objective(data=MeanSquaredError(weight=ramp)), strategy=replicas(count))
    rows = np.concatenate([program.train(first_step=0, steps=2), program.train(first_step=2, steps=4)])
    columns = {tag: rows[:, i] for i, tag in enumerate(program.tags)}
    np.testing.assert_array_equal(columns["terms/data/weight"], [0.0, 0.25, 0.5, 0.75, 1.0, 1.0])
    np.testing.assert_allclose(columns["terms/data/weighted"], columns["terms/data/raw"] * columns["terms/data/weight"])


def test_a_scheduled_learning_rate_is_reported_and_used(make_program):
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.5, 0.0])
    program = make_program(optimizer=keras.optimizers.SGD(rate))
    rows = program.train(first_step=0, steps=4)
    np.testing.assert_array_equal(rows[:, program.tags.index("optimizer/learning_rate")], [0.5, 0.5, 0.0, 0.0])


def test_an_objective_that_no_variable_reaches_is_refused(make_trainer):
    objective = Objective(data=FunctionTerm(fn=lambda targets: targets))
    with pytest.raises(ConfigurationError, match="no term depends on any trainable variable"):
        make_trainer(objective=objective).train()


def infinite_slope(y_pred):
    """0 everywhere with a slope of NaN."""
    return tf.sqrt(y_pred - y_pred)


@pytest.mark.parametrize(
    ("count", "execution"),
    [
        (1, "graph"),
        pytest.param(1, "xla_loop", marks=pytest.mark.slow),
        pytest.param(2, "graph", marks=pytest.mark.slow),
    ],
)
def test_the_infinite_slope_of_one_term_is_not_that_of_another(make_program, replicas, count, execution):
    terms = {name: FunctionTerm(fn=infinite_slope) for name in ("first", "last")}
    objective = Objective(data=MeanSquaredError(), watched=FunctionTerm(fn=infinite_slope, weight=0.0), **terms)
    found = make_program(objective=objective, strategy=replicas(count), execution=execution).term_gradients(2)
    norms = {name: found[f"terms/{name}/grad_norm"] for name in ("data", "first", "last")}
    assert {name for name, norm in norms.items() if not np.isfinite(norm)} == {"first", "last"}
    assert norms["data"] > 0


def two_hidden_layers(dense_model):
    return dense_model(lambda: keras.layers.Dense(3, activation="tanh", name="hidden_two"))


@pytest.fixture(scope="module")
def once():
    """What was trained for all cases of a test."""
    return {}


@pytest.fixture
def trained_written_out(once, make_trainer, written_out, dense_model, some, recorder):
    """The weights and the lines of training on terms that are written out, on one replica."""
    if not once:
        other, model = type(recorder)(), two_hidden_layers(dense_model)
        settings = {"train": some, "eval": some, "log_every": 5, "gradients_every": 5}
        make_trainer(model=model, objective=written_out, reports=[other], **settings).train()
        once.update(weights=model.get_weights(), lines=other.lines)
    return once


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "execution", "cut"),
    [(1, "xla_loop", {}), (2, "graph", {"accumulate_steps": 2})],
    ids=["xla", "cut"],
)
def test_a_term_over_several_tensors_is_one_for_each(
    make_trainer, starred, trained_written_out, dense_model, some, recorder, replicas, count, execution, cut
):
    expected = trained_written_out
    model = two_hidden_layers(dense_model)
    settings = {"train": some, "eval": some, "log_every": 5, "gradients_every": 5, "strategy": replicas(count)}
    trainer = make_trainer(model=model, objective=starred, reports=[recorder], execution=execution, **settings, **cut)
    values = trainer.dry_run()
    trainer.train()
    for ours, theirs in zip(model.get_weights(), expected["weights"], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=0)
    for ours, theirs in zip(recorder.lines, expected["lines"], strict=True):
        for term, kind in (("small", "mean"), ("decay", "sum")):
            tensors = ["hidden", "hidden_two", *(["head"] if term == "decay" else [])]
            names = [f"{name}/kernel" if term == "decay" else name for name in tensors]
            each = [theirs.values[f"terms/{term}_{name}/raw"] for name in tensors]
            assert [ours.values[f"terms/{term}/{name}/raw"] for name in names] == pytest.approx(each, rel=1e-4)
            total = np.mean(each) if kind == "mean" else np.sum(each)
            assert ours.values[f"terms/{term}/raw"] == pytest.approx(total, rel=1e-4)
            weighted = sum(theirs.values[f"terms/{term}_{name}/weighted"] for name in tensors)
            assert ours.values[f"terms/{term}/weighted"] == pytest.approx(weighted, rel=1e-4)
            counts = [theirs.values[f"terms/{term}_{name}/count"] for name in tensors]
            if ours.split == "train":  # a term without a batch counts each evaluation once a batch
                assert ours.values[f"terms/{term}/count"] == sum(counts)
        assert ours.values["loss/total"] == pytest.approx(theirs.values["loss/total"], rel=1e-4)
    assert recorder.lines[0].values["terms/small/grad_norm"] > 0
    assert {tag for tag in values if tag.startswith("terms/small/hidden")} == {
        f"terms/small/{name}/{what}" for name in ("hidden", "hidden_two") for what in ("raw", "count")
    }
    assert "small is the mean over activations.hidden, activations.hidden_two" in recorder.run.headline


def test_a_star_takes_what_layers_hand_out_and_no_more(make_trainer, recorder):
    class Reader(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(4, name="first")
            self.lstm = keras.layers.LSTM(3, return_state=True, name="lstm")
            self.spare = keras.layers.Dense(2, name="spare")
            self.head = keras.layers.Dense(1, name="head")

        def call(self, inputs):
            output, state, _ = self.lstm(self.first(self.first(inputs)))
            return self.head(output + state)

    keras.utils.set_random_seed(1)
    model, x = Reader(), np.random.default_rng(0).normal(size=[12, 5, 4]).astype(np.float32)
    model(x)
    objective = Objective(data=MeanSquaredError(), small=ActivationPenalty(activation="activations.*"))
    source = ArraySource(x, x[:, 0, :1])
    trainer = make_trainer(model=model, objective=objective, train=source, eval=source, reports=[recorder])
    trainer.train()
    # Not what it puts out, nor a layer that is never called, nor what its cell computes in a loop.
    tensors = tensor_names(recorder.lines[-1].values, "small")
    assert tensors[:2] == ["first.0", "first.1"]
    assert {name.partition(".")[0] for name in tensors} == {"first", "lstm"}
    each = [recorder.lines[-1].values[f"terms/small/{name}/raw"] for name in tensors]
    assert recorder.lines[-1].values["terms/small/raw"] == pytest.approx(np.mean(each), rel=1e-6)
