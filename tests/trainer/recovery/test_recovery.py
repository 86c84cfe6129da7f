"""Recovery: an update that is not finite is never applied, and then stopped at, skipped or rolled back from."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, MeanSquaredError, Objective
from trainer import ArraySource, DatasetSource, TrainableFrom
from trainer.executions.non_finite import NonFiniteError
from trainer.recovery.autopsy import read_step
from trainer.recovery.culprit import culprit
from trainer.steps.precision import building_in
from trainer.storage import lock

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
        # Statistics of a batch bear no padding, which there is where it does not divide.
        cut = count > 1 or "accumulate_steps" in settings
        normalization = [] if cut else [keras.layers.BatchNormalization]
        model = dense_model(*normalization, lambda: keras.layers.Dropout(0.5))
        settings = {"optimizer": keras.optimizers.Adam(0.05), "train": poisoned, "batch_size": BATCH, **settings}
        return make_trainer(model=model, strategy=replicas(count), **{"steps": 10, "log_every": 1, **settings})

    return make


def assert_same_state(first, second):
    second = second._run.program.training_state.arrays()
    for name, value in first._run.program.training_state.arrays().items():
        np.testing.assert_array_equal(value, second[name], err_msg=name)


def run_batches(trainer, *spans):
    """Trains on these spans of batches, one after the other, as a reference."""
    done = 0
    for first, stop in spans:
        trainer._run.program.train(first_step=done, first_batch=first, steps=stop - first)
        done += stop - first
    return trainer


@pytest.mark.usefixtures("either_way")
@pytest.mark.slow
@pytest.mark.parametrize(("execution", "count"), [("xla_loop", 1), ("graph", 2), ("xla_step", 2)])
def test_a_run_stops_before_the_update_and_has_reported_all_others(make_run, recorder, execution, count):
    trainer = make_run(count, execution=execution, reports=[recorder])
    with pytest.raises(
        NonFiniteError,
        match="step 4 would not be finite: the raw values of the terms 'data' and 'small' are not finite, as "
        r"inputs is not finite, for number 2 of the batch's 5 examples \(example 17 of the data, from 0 on\); its",
    ):
        trainer.train()
    assert trainer.step == 3
    assert recorder.steps() == [1, 2, 3]
    assert_same_state(trainer, run_batches(make_run(count, execution=execution), (0, 3)))


def test_what_stopped_a_run_is_told_where_an_autopsy_cannot_be_written(make_run, tmp_path):
    trainer = make_run(workdir=tmp_path)
    (tmp_path / lock.NAME).touch()
    (tmp_path / "autopsy").write_text("not a folder")
    with pytest.raises(NonFiniteError, match=r"step 4 would not be .* There is no autopsy: .*000004 cannot be written"):
        trainer.train()


@pytest.mark.usefixtures("either_way")
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


@pytest.mark.usefixtures("either_way")
@pytest.mark.slow
@pytest.mark.parametrize(("execution", "count"), [("xla_loop", 1), ("graph", 2)])
def test_a_skipped_batch_is_as_if_it_were_not_there(make_run, recorder, execution, count):
    trainer = make_run(count, execution=execution, non_finite="skip", reports=[recorder])
    trainer.train()
    assert recorder.steps() == list(range(1, 11))
    assert recorder.column("non_finite/skips") == [0] * 3 + [1] * 3 + [2] * 3 + [3]
    assert np.isfinite(recorder.column("loss/total")).all()
    assert_same_state(trainer, run_batches(make_run(count, execution=execution), (0, 3), (4, 7), (8, 11), (12, 13)))


@pytest.mark.usefixtures("either_way")
def test_a_rolled_back_run_continues_from_its_checkpoint_after_the_batch(make_run, recorder, tmp_path):
    trainer = make_run(
        non_finite="rollback", workdir=tmp_path, checkpoint_every=2, steps=5, reports=[recorder], chunk_steps=2
    )
    trainer.train()
    # Steps 1, 2, then 3 on the third batch, rolled back to 2, then 3, 4, 5 on the batches behind the fourth.
    assert recorder.steps() == [1, 2, 3, 3, 4, 5]
    assert (recorder.calls.count("close"), recorder.run.has_returned, recorder.ended) == (2, True, ["complete"])
    assert recorder.column("non_finite/rollbacks") == [0, 0, 0, 1, 1, 1]
    assert_same_state(trainer, run_batches(make_run(), (0, 2), (4, 7)))


@pytest.mark.slow
def test_a_run_may_roll_back_before_its_first_checkpoint_was_due(make_run, data, tmp_path):
    x = data["x"].copy()
    x[1] = np.inf
    source = ArraySource(x, data["y"], shuffle=False)
    trainer = make_run(non_finite="rollback", workdir=tmp_path, steps=3, train=source)
    trainer.train()
    assert_same_state(trainer, run_batches(make_run(train=source), (1, 4)))


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["skip", "rollback"])
def test_a_resumed_run_skips_the_same_batches(make_run, tmp_path, policy):
    settings = {"non_finite": policy, "checkpoint_every": 2, "chunk_steps": 2}
    whole = make_run(workdir=tmp_path / "whole", **settings)
    whole.train()
    make_run(workdir=tmp_path / "parts", **settings).train(until=6)
    parts = make_run(workdir=tmp_path / "parts", **settings)
    parts.train()
    assert parts.step == whole.step == 10
    assert_same_state(parts, whole)
    assert parts._run.non_finite.counts == whole._run.non_finite.counts


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["skip", pytest.param("rollback", marks=pytest.mark.slow)])
def test_it_may_not_happen_for_ever(make_run, tmp_path, policy):
    trainer = make_run(
        non_finite=policy, non_finite_limit=1, workdir=tmp_path, checkpoint_every=2, chunk_steps=2, steps=30
    )
    with pytest.raises(NonFiniteError):
        trainer.train()
    assert sum(trainer._run.non_finite.counts.values()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_an_autopsy_replays_the_very_step(make_run, data, tmp_path, count):
    trainer = make_run(count, workdir=tmp_path)
    with pytest.raises(NonFiniteError, match=r"replay it: Trainer\(\.\.\.\)\.replay\('.*/autopsy/000004'\), with"):
        trainer.train()
    folder = tmp_path / "autopsy" / "000004"
    clean = ArraySource(data["x"], data["y"])
    again = make_run(count, train=clean)
    values = again.replay(folder)
    recorded = read_step(folder)["values"]
    assert values.keys() == recorded.keys()
    np.testing.assert_array_equal(list(values.values()), list(recorded.values()))
    assert culprit(values, values.examples) == read_step(folder)["cause"]
    with np.load(folder / "batch.npz") as batch:
        np.testing.assert_array_equal(batch["targets/0"], data["y"][15:20].astype(np.float32))


# What an update leaves


class Ends(keras.optimizers.schedules.LearningRateSchedule):
    """0.1 for three steps, and another rate from the fourth on."""

    def __init__(self, last):
        self.last = last

    def __call__(self, step):
        return tf.where(tf.cast(step, tf.int32) < 3, 0.1, self.last)

    def get_config(self):
        return {"last": self.last}


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize(
    ("execution", "count", "policy"),
    [
        ("graph", 1, "raise"),
        pytest.param("xla_loop", 1, "skip", marks=pytest.mark.slow),
        pytest.param("graph", 2, "rollback", marks=pytest.mark.slow),
    ],
)
def test_an_infinite_learning_rate_stops_at_its_step_and_nothing_infinite_is_kept(
    make_run, data, tmp_path, execution, count, policy
):
    settings = {"train": ArraySource(data["x"], data["y"]), "execution": execution}
    kept = {"workdir": tmp_path, "checkpoint_every": 1, "non_finite": policy}
    trainer = make_run(count, optimizer=keras.optimizers.SGD(Ends(np.inf)), **settings, **kept)
    with pytest.raises(NonFiniteError) as error:
        trainer.train()
    assert "step 4 would not be finite: its gradient is finite, but the update would make 'hidden/" in str(error.value)
    assert "the learning rate of SGD is inf at this step; its update was not applied" in str(error.value)
    assert ("Any other batch would give the same result" in str(error.value)) == (policy != "raise")
    assert trainer.step == 3
    for name, value in trainer._run.program.training_state.arrays().items():
        assert np.isfinite(value).all(), name
    fine = make_run(count, optimizer=keras.optimizers.SGD(Ends(0.1)), **settings)
    assert_same_state(trainer, run_batches(fine, (0, 3)))
    saved = np.load(max((tmp_path / "checkpoints").glob("[0-9]*")) / "state.npz")
    for name in saved:
        assert np.isfinite(saved[name]).all(), name


@pytest.fixture
def dead(data):
    """Data of which an input is always 0, so that its weights have no gradient."""
    return ArraySource(data["x"] * np.float32([1, 0, 1]), data["y"])


@pytest.mark.slow
def test_an_epsilon_of_0_is_named_and_the_replay_names_it_too(make_run, dead, tmp_path):
    settings = {"train": dead, "optimizer": keras.optimizers.Adam(0.05, epsilon=0.0)}
    with pytest.raises(NonFiniteError, match="make 'hidden/kernel' nan: Adam.epsilon is 0, and the second moment"):
        make_run(workdir=tmp_path, **settings).train()
    again = make_run(train=dead, optimizer=keras.optimizers.Adam(0.05, epsilon=0.0))
    assert culprit(again.replay(tmp_path / "autopsy" / "000001")).startswith("its gradient is finite, but the update")


@pytest.mark.usefixtures("either_way")
def test_a_statistic_that_overflows_is_named_though_the_gradient_is_finite(make_trainer, dense_model):
    class Watches(keras.layers.Layer):
        """Hands on what it gets, and keeps a number that grows beyond all others at the third step."""

        def build(self, shape):
            self.seen = self.add_weight(shape=[], initializer="ones", trainable=False, name="seen")

        def call(self, inputs):
            self.seen.assign(tf.convert_to_tensor(self.seen) * 1e15)
            return inputs

    trainer = make_trainer(model=dense_model(lambda: Watches(name="watches")))
    with pytest.raises(NonFiniteError, match="the forward pass makes 'watches/seen' inf, while the gradient is finite"):
        trainer.train()
    assert trainer.step == 2
    assert trainer.model.get_layer("watches").seen.numpy() == pytest.approx(1e30)


@pytest.mark.usefixtures("either_way")
def test_what_a_model_keeps_that_is_not_finite_may_stay(make_trainer, dense_model):
    class Masks(keras.layers.Layer):
        def build(self, shape):
            self.mask = self.add_weight(shape=[4], initializer="zeros", trainable=False, name="mask")

        def call(self, inputs):
            return tf.maximum(inputs, tf.convert_to_tensor(self.mask))

    model = dense_model(lambda: Masks(name="masks"))
    model.get_layer("masks").mask.assign([-np.inf] * 4)
    make_trainer(model=model).train()


def test_a_half_precision_overflow_that_reaches_a_statistic_is_skipped(make_trainer, dense_model, data):
    with building_in("mixed_float16"):
        model = dense_model(lambda: keras.layers.BatchNormalization())
    x = data["x"].copy()
    x[8] = np.inf
    settings = {"train": ArraySource(x, data["y"], shuffle=False), "precision": "mixed_float16", "batch_size": BATCH}
    trainer = make_trainer(model=model, non_finite="skip", steps=4, **settings)
    trainer.train()
    assert np.isfinite(np.concatenate([w.ravel() for w in trainer.model.get_weights()])).all()
    assert trainer._run.non_finite.counts["non_finite/skips"] == 1


# Who is at fault


@pytest.mark.slow
def test_the_examples_and_the_terms_at_fault_are_named_and_no_others(make_run, data, replicas):
    y = data["y"].copy()
    y[[1, 3], 0] = 0.0

    def steep(y_true, y_pred):
        return tf.sqrt(tf.where(y_true == 0.0, y_pred - y_pred, 1.0 + tf.square(y_pred)))

    terms = {"steep": FunctionTerm(fn=steep), "data": MeanSquaredError(), "watched": FunctionTerm(fn=steep, weight=0.0)}
    arrays = ArraySource(data["x"], y, shuffle=False)
    dataset = DatasetSource(lambda: tf.data.Dataset.from_tensor_slices((data["x"], y.astype(np.float32))))
    numbered = " (examples 1 and 3 of the data, from 0 on)"
    for count, settings, told in (
        (2, {"train": arrays}, numbered),
        (1, {"accumulate_steps": 2, "train": dataset}, ""),  # a stream has no numbers
    ):
        trainer = make_run(count, objective=Objective(**terms), **settings)
        with pytest.raises(NonFiniteError) as error:
            trainer.train()
        assert str(error.value).startswith(
            "step 1 would not be finite: the gradient of the term 'steep' is nan (its raw value is "
        )
        assert f"), for numbers 1 and 3 of the batch's 5 examples{told}; its update" in str(error.value)


@pytest.mark.parametrize("execution", [pytest.param("xla_loop", marks=pytest.mark.slow), "xla_step"])
def test_a_term_is_named_that_is_at_fault_under_xla_alone(make_run, data, execution):
    # Of a root whose result is not used, TensorFlow's own derivative is 0, and that of XLA 0 times infinity.
    steep = FunctionTerm(fn=lambda y_pred: tf.where(y_pred == y_pred, 0.0, tf.sqrt(y_pred - y_pred)))
    settings = {
        "train": ArraySource(data["x"], data["y"]),
        "objective": Objective(data=MeanSquaredError(), steep=steep),
    }
    make_run(execution="graph", **settings).train()
    with pytest.raises(NonFiniteError, match=r"the gradient of the term 'steep' is .* of the batch's 5 examples; "):
        make_run(execution=execution, **settings).train()


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"resident": False}], ids=["resident", "streamed"])
@pytest.mark.parametrize("count", [1, 2])
def test_of_shuffled_data_the_example_at_fault_is_told_after_others_were_skipped(make_run, data, count, settings):
    x = data["x"].copy()
    x[[4, 11], 1] = np.nan
    train = ArraySource(x, data["y"], **settings)
    trainer = make_run(count, train=train, non_finite="skip", non_finite_limit=1)
    with pytest.raises(NonFiniteError) as error:
        trainer.train()
    order = train.indices(first_batch=0, steps=20, batch_size=BATCH, seed=trainer.seed)
    _, second, *_ = ([number for number in batch if number in (4, 11)] for batch in order if {4, 11} & {*batch})
    told = re.search(r"\(examples? (.*) of the data, from 0 on\)", str(error.value))
    assert told
    assert re.findall(r"\d+", told[1]) == [*map(str, second)]


@pytest.fixture
def overflowing(make_run, data):
    """Makes a run whose gradients stay finite, while the update of step 4 has weights overflow."""

    def make(**settings):
        linear = FunctionTerm(fn=lambda y_pred: 50.0 * y_pred, keys_of={"y_pred": "outputs"})
        settings = {"objective": Objective(linear=linear), "train": ArraySource(data["x"], data["y"]), **settings}
        settings = {"checkpoint_every": 2, "chunk_steps": 2, **settings}
        return make_run(optimizer=keras.optimizers.SGD(Ends(3e38)), **settings)

    return make


@pytest.mark.usefixtures("guarded")
def test_weights_that_cannot_be_taken_back_are_named_and_never_saved(overflowing, tmp_path):
    trainer = overflowing(workdir=tmp_path)
    for _ in range(2):  # the second time it continues from its checkpoint
        with pytest.raises(
            NonFiniteError, match="up to step 4 updates have made '.*' -?(inf|nan), .*: SGD overflows at"
        ):
            trainer.train()
    saved = [np.load(folder / "state.npz") for folder in (tmp_path / "checkpoints").glob("[0-9]*")]
    assert saved
    assert all(np.isfinite(state[name]).all() for state in saved for name in state)


@pytest.mark.usefixtures("guarded")
def test_weights_that_cannot_be_taken_back_leave_nothing_to_go_on_from_without_a_checkpoint(overflowing):
    trainer = overflowing()
    with pytest.raises(NonFiniteError, match="SGD overflows"):
        trainer.train()
    with pytest.raises(ConfigurationError, match="there is no checkpoint to resume from; expected a new trainer"):
        trainer.train()


@pytest.mark.usefixtures("guarded")
def test_weights_that_overflow_at_the_end_of_a_phase_are_found_as_the_next_begins(overflowing, tmp_path):
    trainer = overflowing(trainable=TrainableFrom(layers="hidden", until=4), workdir=tmp_path, checkpoint_every=9)
    with pytest.raises(NonFiniteError, match="up to step 4 updates have made 'hidden/.*"):
        trainer.train()


@pytest.mark.usefixtures("guarded")
def test_a_rollback_goes_on_behind_the_update_whose_weights_overflowed(make_trainer, tmp_path):
    x = np.full([40, 3], 1e-25, np.float32)
    x[5 * BATCH : 6 * BATCH] = 1e14  # of the sixth batch
    trainer = make_trainer(
        objective=Objective(linear=FunctionTerm(fn=lambda y_pred: 50.0 * y_pred, keys_of={"y_pred": "outputs"})),
        optimizer=keras.optimizers.SGD(1e25),
        model=keras.Sequential([keras.Input([3]), keras.layers.Dense(2)]),
        train=ArraySource(x, np.zeros([40, 2], np.float32), shuffle=False),
        batch_size=BATCH,
        non_finite="rollback",
        workdir=tmp_path,
        checkpoint_every=4,
        chunk_steps=4,
        steps=7,
    )
    trainer.train()
    assert trainer._run.non_finite.counts["non_finite/rollbacks"] == 1


@pytest.mark.usefixtures("guarded")
def test_a_failing_operation_loses_what_was_not_saved_and_says_so(make_run, data, tmp_path):
    def checked(y_pred, y_true):
        with tf.control_dependencies([tf.debugging.assert_less(tf.abs(y_true), 100.0, "too large a target")]):
            return tf.square(y_pred - y_true)

    y = data["y"].copy()
    y[17] = 1e3
    objective = Objective(data=FunctionTerm(fn=checked, keys_of={"y_pred": "outputs", "y_true": "targets"}))
    source = ArraySource(data["x"], y, shuffle=False)
    settings = {"objective": objective, "train": source, "execution": "graph", "chunk_steps": 2, "checkpoint_every": 2}
    trainer = make_run(workdir=tmp_path, **settings)
    for _ in range(2):
        with pytest.raises(
            ConfigurationError, match="steps 3 to 4 fails: .*too large a target.*last checkpoint, if .*, is lost"
        ):
            trainer.train()
    again = make_run(workdir=tmp_path, **settings)
    again.train(until=2)
    assert_same_state(again, run_batches(make_run(**settings), (0, 2)))


def test_without_a_folder_there_is_nothing_to_go_back_to(make_run):
    with pytest.raises(ConfigurationError, match="'rollback', which needs checkpoints; expected a workdir"):
        make_run(non_finite="rollback")
