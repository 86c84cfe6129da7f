"""Recovery: an update that is not finite is never applied, and then stopped at, skipped or rolled back from."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, MeanSquaredError, Objective
from trainer import ArraySource
from trainer.recovery.autopsy import read_step
from trainer.recovery.non_finite import NonFiniteError, culprit

BATCH = 5  # of 20 examples in their own order: the fourth batch of each epoch is poisoned


@pytest.fixture
def poisoned(data):
    x = data["x"].copy()
    x[17, 1] = np.nan
    return ArraySource(x, data["y"], shuffle=False)


@pytest.fixture
def make_run(make_trainer, dense_model, poisoned, replicas):
    """Makes a trainer on poisoned data whose model has random layers and batch statistics."""

    def make(count=1, **settings):
        model = dense_model(lambda: keras.layers.BatchNormalization(), lambda: keras.layers.Dropout(0.5))
        settings = {"optimizer": keras.optimizers.Adam(0.05), "train": poisoned, "batch_size": BATCH, **settings}
        return make_trainer(model=model, strategy=replicas(count), **{"steps": 10, "log_every": 1, **settings})

    return make


def assert_same_state(first, second):
    second = second._program.everything.arrays()
    for name, value in first._program.everything.arrays().items():
        np.testing.assert_array_equal(value, second[name], err_msg=name)


def run_batches(trainer, *spans):
    """Trains on these spans of batches, one after the other, as a reference."""
    done = 0
    for first, stop in spans:
        trainer._program.train(first_step=done, first_batch=first, steps=stop - first)
        done += stop - first
    return trainer


@pytest.mark.parametrize(
    ("execution", "count"), [("graph", 1), ("xla_loop", 1), ("xla_step", 1), ("graph", 2), ("xla_step", 2)]
)
def test_a_run_stops_before_the_update_and_has_reported_all_others(make_run, recorder, execution, count):
    trainer = make_run(count, execution=execution, reports=[recorder])
    with pytest.raises(NonFiniteError, match="step 4 would not be finite: the raw value of the term 'data' is nan"):
        trainer.train()
    assert trainer.step == 3
    assert recorder.steps() == [1, 2, 3]
    assert_same_state(trainer, run_batches(make_run(count, execution=execution), (0, 3)))


def test_a_gradient_that_is_not_finite_names_its_term(make_run, data):
    def root(y_pred):
        return tf.sqrt(tf.nn.relu(tf.abs(y_pred) - 100.0))

    objective = Objective(data=MeanSquaredError(), root=FunctionTerm(fn=root, keys_of={"y_pred": "outputs"}))
    trainer = make_run(objective=objective, train=ArraySource(data["x"], data["y"]))
    with pytest.raises(NonFiniteError, match=r"step 1 .*the gradient of the term 'root' is nan \(its raw value is 0\)"):
        trainer.train()


def test_a_term_that_is_only_measured_stops_nothing(make_run, data):
    def bad(y_pred):
        return y_pred / 0.0

    watched = FunctionTerm(fn=bad, keys_of={"y_pred": "outputs"}, weight=0.0)
    objective = Objective(data=MeanSquaredError(), watched=watched)
    trainer = make_run(objective=objective, train=ArraySource(data["x"], data["y"]))
    trainer.train()
    assert trainer.step == 10


@pytest.mark.parametrize(("execution", "count"), [("graph", 1), ("xla_loop", 1), ("graph", 2)])
def test_a_skipped_batch_is_as_if_it_were_not_there(make_run, recorder, execution, count):
    trainer = make_run(count, execution=execution, non_finite="skip", reports=[recorder])
    trainer.train()
    assert recorder.steps() == list(range(1, 11))
    assert recorder.column("non_finite/skips") == [0] * 3 + [1] * 3 + [2] * 3 + [3]
    assert np.isfinite(recorder.column("loss/total")).all()
    assert_same_state(trainer, run_batches(make_run(count, execution=execution), (0, 3), (4, 7), (8, 11), (12, 13)))


def test_a_rolled_back_run_goes_on_from_its_checkpoint_behind_the_batch(make_run, recorder, tmp_path):
    trainer = make_run(
        non_finite="rollback", workdir=tmp_path, checkpoint_every=2, steps=5, reports=[recorder], chunk_steps=2
    )
    trainer.train()
    # Steps 1, 2, then 3 on the third batch, rolled back to 2, then 3, 4, 5 on the batches behind the fourth.
    assert recorder.steps() == [1, 2, 3, 3, 4, 5]
    assert recorder.column("non_finite/rollbacks") == [0, 0, 0, 1, 1, 1]
    assert_same_state(trainer, run_batches(make_run(), (0, 2), (4, 7)))


def test_a_run_may_roll_back_before_its_first_checkpoint_was_due(make_run, data, tmp_path):
    x = data["x"].copy()
    x[1] = np.inf
    source = ArraySource(x, data["y"], shuffle=False)
    trainer = make_run(non_finite="rollback", workdir=tmp_path, steps=3, train=source)
    trainer.train()
    assert_same_state(trainer, run_batches(make_run(train=source), (1, 4)))


@pytest.mark.parametrize("policy", ["skip", "rollback"])
def test_a_run_that_goes_on_passes_over_the_same_batches(make_run, tmp_path, policy):
    settings = {"non_finite": policy, "checkpoint_every": 2, "chunk_steps": 2}
    whole = make_run(workdir=tmp_path / "whole", **settings)
    whole.train()
    make_run(workdir=tmp_path / "parts", **settings).train(until=6)
    parts = make_run(workdir=tmp_path / "parts", **settings)
    parts.train()
    assert parts.step == whole.step == 10
    assert_same_state(parts, whole)
    assert parts._guard.counts == whole._guard.counts


@pytest.mark.parametrize("policy", ["skip", "rollback"])
def test_it_may_not_happen_for_ever(make_run, tmp_path, policy):
    trainer = make_run(
        non_finite=policy, non_finite_limit=1, workdir=tmp_path, checkpoint_every=2, chunk_steps=2, steps=30
    )
    with pytest.raises(NonFiniteError):
        trainer.train()
    assert sum(trainer._guard.counts.values()) == 1


@pytest.mark.parametrize("count", [1, 2])
def test_an_autopsy_replays_the_very_step(make_run, data, tmp_path, count):
    trainer = make_run(count, workdir=tmp_path)
    with pytest.raises(NonFiniteError, match=r"python scripts/replay.py --autopsy=.*/autopsy/000004"):
        trainer.train()
    folder = tmp_path / "autopsy" / "000004"
    clean = ArraySource(data["x"], data["y"])
    again = make_run(count, train=clean)
    values = again.replay(folder)
    recorded = read_step(folder)["values"]
    assert values.keys() == recorded.keys()
    np.testing.assert_array_equal(list(values.values()), list(recorded.values()))
    assert culprit(values) == read_step(folder)["cause"]
    with np.load(folder / "batch.npz") as batch:
        np.testing.assert_array_equal(batch["targets/0"], data["y"][15:20].astype(np.float32))


def test_without_a_folder_there_is_nothing_to_go_back_to(make_run):
    with pytest.raises(ConfigurationError, match="'rollback', which needs checkpoints; expected a workdir"):
        make_run(non_finite="rollback")
