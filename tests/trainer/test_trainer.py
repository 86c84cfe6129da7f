"""The trainer: runs to the end, reports each step once, and resumes as if it had never been stopped."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ActivationPenalty, ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, KerasMetric, Metrics, Task, Trainer
from trainer.reports import JsonLines, Report, ReportError, jsonl


def assert_same_weights(first, second):
    for ours, expected in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


# Resuming a run that was stopped


@pytest.fixture
def run_in(make_trainer, dense_model, tmp_path):
    """Trains in a folder with Dropout and Adam, and only JSON lines; first weights matter for a new run alone."""

    def run(folder, steps, *more_reports, first_weights=1, **settings):
        workdir = tmp_path / folder
        workdir.mkdir(exist_ok=True)
        trainer = make_trainer(
            model=dense_model(lambda: keras.layers.Dropout(0.3), seed=first_weights),
            optimizer=keras.optimizers.Adam(0.01),
            workdir=workdir,
            steps=steps,
            reports=[JsonLines(workdir), *more_reports],
            **{"log_every": 1, **settings},
        )
        try:
            trainer.train()
        except ReportError:
            trainer.stopped = True
        return trainer, jsonl.read(workdir)

    return run


def without_speed(lines):
    return [
        (line.split, line.step, {tag: v for tag, v in line.values.items() if not tag.startswith("speed/")})
        for line in lines
    ]


@pytest.mark.parametrize(
    ("execution", "count"),
    [
        ("graph", 1),
        pytest.param("xla_loop", 1, marks=pytest.mark.slow),
        pytest.param("graph", 2, marks=pytest.mark.slow),
    ],
)
def test_ten_steps_and_ten_more_are_twenty(run_in, replicas, execution, count):
    settings = {"execution": execution, "strategy": replicas(count)}
    whole, expected = run_in("whole", 20, **settings)
    run_in("parts", 10, **settings)
    resumed, lines = run_in("parts", 20, first_weights=2, **{**settings, "strategy": replicas(count)})
    assert resumed.step == 20
    assert_same_weights(resumed.model, whole.model)
    assert [line.step for line in lines] == list(range(1, 21))
    assert without_speed(lines) == without_speed(expected)


def test_a_run_may_stop_for_a_look_and_continue(make_trainer, dense_model, plain_source):
    whole, looked_at = (
        make_trainer(model=dense_model(), steps=10, eval=plain_source, optimizer=keras.optimizers.Adam(0.1))
        for _ in range(2)
    )
    values = whole.train()
    looked_at.train(until=4)
    assert (looked_at.first_step, looked_at.step) == (0, 4)
    assert looked_at.train(until=99) == values
    assert (looked_at.first_step, looked_at.step) == (4, 10)
    assert_same_weights(looked_at.model, whole.model)


@pytest.mark.slow
@pytest.mark.parametrize("log_every", [1, 3])
def test_a_run_that_died_after_its_last_checkpoint_resumes_from_it(run_in, stop_at, plain_source, log_every):
    settings = {"checkpoint_every": 5, "eval_every": 4, "eval": plain_source, "log_every": log_every, "chunk_steps": 2}
    whole, expected = run_in("whole", 20, **settings)
    died, logged = run_in("parts", 20, stop_at(13), **settings)
    assert died.stopped
    assert logged[-1].step > 10  # beyond the checkpoint of step 10
    resumed, lines = run_in("parts", 20, first_weights=2, **settings)
    assert_same_weights(resumed.model, whole.model)
    assert without_speed(lines) == without_speed(expected)


@pytest.mark.slow
def test_a_line_torn_by_the_end_of_a_process_is_dropped(run_in, tmp_path):
    _, expected = run_in("whole", 10)
    run_in("parts", 6)
    with (tmp_path / "parts" / jsonl.NAME).open("a") as file:
        file.write('{"split": "train", "step": 7, "loss/to')
    assert len(jsonl.read(tmp_path / "parts")) == 6
    _, lines = run_in("parts", 10)
    assert without_speed(lines) == without_speed(expected)


def test_a_finished_run_is_left_as_it_is(run_in, plain_source):
    first, expected = run_in("run", 5, eval=plain_source)
    again, lines = run_in("run", 5, eval=plain_source, first_weights=2)
    assert again.step == 5
    assert_same_weights(again.model, first.model)
    assert without_speed(lines) == without_speed(expected)
    assert np.float32(again.train()["loss/total"]) == np.float32(expected[-1].values["loss/total"])


def test_the_folder_of_another_model_is_refused_and_left_alone(make_trainer, dense_model, tmp_path):
    reports = [JsonLines(tmp_path)]
    make_trainer(workdir=tmp_path, reports=reports).train()
    before = (tmp_path / jsonl.NAME).read_text()
    other = dense_model(lambda: keras.layers.Dense(9))
    with pytest.raises(ConfigurationError, match="belongs to another model or optimizer"):
        make_trainer(workdir=tmp_path, model=other, reports=reports, steps=9, allow_config_change=True).train()
    assert (tmp_path / jsonl.NAME).read_text() == before


# The model


def test_the_callers_own_model_is_trained(make_trainer, dense_model, data):
    model = dense_model()
    before = model.predict(data["x"], verbose=0)
    trainer = make_trainer(model=model, steps=50)
    values = trainer.train()
    assert trainer.model is model
    after = model.predict(data["x"], verbose=0)
    assert np.mean((after - data["y"]) ** 2) < 0.7 * np.mean((before - data["y"]) ** 2)
    assert values["loss/total"] > 0


def test_a_model_trained_on_replicas_is_saved_and_used_as_any_other(make_trainer, data, replicas, tmp_path):
    trainer = make_trainer(strategy=replicas(2))
    trainer.train()
    trainer.model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(data["x"], verbose=0), trainer.model.predict(data["x"], verbose=0))


class TwoHeads(keras.Model):
    """A subclassed model with a dict of outputs, one of which no term reads."""

    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(4, activation="tanh", name="hidden")
        self.head = keras.layers.Dense(2)
        self.unread = keras.layers.Dense(5)

    def call(self, inputs):
        hidden = self.hidden(inputs)
        return {"y": self.head(hidden), "unread": self.unread(hidden)}


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_subclassed_model_is_trained_and_what_no_term_reads_stays(make_trainer, data, replicas, count):
    keras.utils.set_random_seed(0)
    model = TwoHeads()
    model(data["x"])
    before = model.unread.kernel.numpy()
    objective = Objective(data=MeanSquaredError(y_pred="outputs.y"))
    settings = {"model": model, "objective": objective, "optimizer": keras.optimizers.Adam(0.05)}
    trainer = make_trainer(steps=30, strategy=replicas(count), allow_unreached=True, **settings)
    first = trainer.dry_run()["loss/total"]
    assert trainer.unread_outputs() == ["outputs.unread"]
    assert trainer.train()["loss/total"] < first
    np.testing.assert_array_equal(model.unread.kernel.numpy(), before)


def test_an_output_that_a_metric_or_an_activation_reads_is_read(make_trainer, data):
    inputs = keras.Input(data["x"].shape[1:])
    heads = {name: keras.layers.Dense(data["y"].shape[1], name=name)(inputs) for name in ("a", "b", "c", "d")}
    small = ActivationPenalty(activation="activations.c")
    trainer = make_trainer(
        model=keras.Model(inputs, heads),
        objective=Objective(data=MeanSquaredError(y_pred="outputs.a"), small=small),
        metrics=Metrics(b=KerasMetric(metric=keras.metrics.MeanAbsoluteError(), y_pred="outputs.b")),
        eval=ArraySource(data["x"], data["y"]),
        allow_unreached=True,
    )
    assert trainer.unread_outputs() == ["outputs.d"]


def test_batch_statistics_are_learned_and_used(make_trainer, dense_model, plain_source):
    normalization = keras.layers.BatchNormalization(name="normalization")
    model = dense_model(lambda: normalization)
    make_trainer(model=model, steps=20).train()
    assert np.abs(normalization.moving_mean.numpy()).max() > 0


class LineTask(Task):
    """A model and its data, as a task gives them."""

    def __init__(self, model, source):
        self.build_model = lambda: model
        self.source = source

    build_model = None
    train = property(lambda self: self.source)
    eval = property(lambda self: self.source)


def test_a_task_gives_what_is_not_given_itself(make_trainer, dense_model, plain_source):
    model = dense_model()
    trainer = make_trainer(task=LineTask(model, plain_source), model=None, train=None)
    trainer.train()
    assert trainer.model is model
    assert trainer.evaluate()["loss/total"] > 0


# What is said and kept


def test_a_run_that_cannot_work_starts_no_report(make_trainer, recorder):
    objective = Objective(data=MeanSquaredError(y_true="targets.nothing"))
    with pytest.raises(ConfigurationError):
        make_trainer(objective=objective, reports=[recorder]).train()
    assert recorder.calls == []


# Mistakes


def test_all_settings_that_cannot_work_are_named_at_once(make_trainer):
    with pytest.raises(ConfigurationError) as error:
        make_trainer(steps=0, batch_size=-1, log_every=2.5, clip_norm=0.0, optimizer="adam", model=None)
    answer = str(error.value)
    for part in (
        "Trainer.steps is 0; expected a whole number above 0",
        "Trainer.batch_size is -1",
        "Trainer.log_every is 2.5",
        "Trainer.clip_norm is 0.0; expected a number above 0",
        "Trainer.optimizer is 'adam'; expected an instance of Optimizer",
        "Trainer has no model",
    ):
        assert part in answer


@pytest.mark.parametrize("kind", [np.int64, np.uint32])
def test_a_seed_may_be_an_integer_of_numpy(make_trainer, kind):
    assert type(make_trainer(seed=kind(4)).seed) is int


def test_an_unknown_strategy_is_refused_with_the_nearest_name(make_trainer):
    with pytest.raises(ConfigurationError, match="did you mean 'one_device'?"):
        make_trainer(strategy="one_devise")


def test_an_array_of_another_shape_is_named_with_its_term(make_trainer, data):
    flat = ArraySource(data["x"], data["y"][:, 0])
    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(1)])
    trainer = make_trainer(model=model, train=flat, objective=Objective(data=MeanSquaredError()))
    with pytest.raises(ConfigurationError, match=r"term 'data' \(MeanSquaredError\).*broadcast to \[batch, batch\]"):
        trainer.train()


def test_weights_of_examples_that_no_term_reads_are_refused(make_trainer, data):
    with pytest.raises(ConfigurationError, match="sample_weight that no term reads"):
        make_trainer(train=ArraySource(data["x"], data["y"], sample_weight=data["factor"]))


def test_a_model_that_is_not_built_is_refused(make_trainer):
    with pytest.raises(ConfigurationError, match="not built"):
        make_trainer(model=TwoHeads(), objective=Objective(data=MeanSquaredError(y_pred="outputs.y"))).train()


def test_a_folder_that_cannot_be_written_to_is_refused(make_trainer, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ConfigurationError, match="cannot be written to"):
        make_trainer(workdir=tmp_path / "file" / "run")


def test_without_a_folder_nothing_is_kept(make_trainer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_trainer(workdir=None, default_reports=True).train()
    assert list(tmp_path.iterdir()) == []


def test_whole_numbers_of_numpy_are_whole_numbers(make_trainer):
    assert make_trainer(steps=np.int64(2), batch_size=np.int32(5)).train()["loss/total"] > 0


def test_a_model_and_an_optimizer_may_be_trained_further_by_a_second_trainer(make_trainer, dense_model):
    model, optimizer = dense_model(), keras.optimizers.Adam(0.01)
    make_trainer(model=model, optimizer=optimizer).train()
    make_trainer(model=model, optimizer=optimizer, seed=1).train()
    assert int(optimizer.iterations.numpy()) == 10


def test_the_doctest_settings_are_the_defaults(dense_model, objective, plain_source):
    trainer = Trainer(
        model=dense_model(),
        objective=objective,
        optimizer=keras.optimizers.SGD(0.1),
        train=plain_source,
        default_reports=False,
        steps=1,
        batch_size=4,
    )
    before = tf.nest.map_structure(np.copy, trainer.model.get_weights())
    trainer.train()
    assert trainer.step == 1
    assert any((ours != old).any() for ours, old in zip(trainer.model.get_weights(), before, strict=True))


class Fails(Report):
    """Fails in one of its methods, and does nothing otherwise."""

    def __init__(self, method: str):
        self.failing = method

    def write(self, records):
        self._fail("write")

    def close(self):
        self._fail("close")

    def _fail(self, method):
        if method == self.failing:
            raise ConnectionError("the server is gone")


def test_a_report_that_cannot_close_takes_nothing_from_a_run_that_is_complete(make_trainer, tmp_path):
    trainer = make_trainer(workdir=tmp_path, reports=[Fails("close")], steps=4)
    with pytest.raises(ReportError) as error:
        trainer.train()
    assert error.value.values["loss/total"] > 0
    start = r"the report Fails failed in close\(\) at step 4: .*line \d+: ConnectionError: the server is gone\. "
    assert re.match(rf"{start}The latest intact checkpoint is that of step 4 \(.*\), which has all ", str(error.value))


@pytest.mark.parametrize(("method", "has_folder"), [("write", True), ("close", False)])
def test_a_report_that_fails_says_what_is_saved(make_trainer, tmp_path, method, has_folder):
    trainer = make_trainer(workdir=tmp_path if has_folder else None, reports=[Fails(method)], steps=4)
    with pytest.raises(ReportError) as error:
        trainer.train()
    assert (error.value.values is not None) is (method == "close")
    safe = "There is no intact checkpoint: once the report works, the same command starts from step 0"
    assert str(error.value).endswith(safe if has_folder else "Nothing is saved, as there is no workdir")


def test_a_report_without_a_method_is_refused_with_other_mistakes(make_trainer):
    class Misspelt(Report):
        def writes(self, records):
            """Is never called."""

    with pytest.raises(ConfigurationError) as error:
        make_trainer(reports=[Misspelt()], gradients_every=3, log_every=2)
    assert len(error.value.messages) == 2
    assert "did you mean 'write' by 'writes'?" in str(error.value)
