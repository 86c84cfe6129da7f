"""Epochs: callbacks decide as in Keras, once for each evaluation, wherever a run is stopped and resumed."""

import functools

import keras
import numpy as np
import pytest

from objectives import ConfigurationError
from trainer import ArraySource, KerasMetric, Metrics, OptimizerGroup
from trainer.checkpoints.checkpoints import Checkpoints
from trainer.reports import JsonLines, Picture, jsonl


class Noted(keras.callbacks.Callback):
    """Keeps the names and the arguments of all its calls, in checkpoints too."""

    def __init__(self):
        super().__init__()
        self.calls, self.logs = [], []

    def on_train_begin(self, logs=None):
        self.began = True

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(("begin", epoch))

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(("end", epoch))
        self.logs.append(dict(logs))

    def on_train_end(self, logs=None):
        self.calls.append(("finish", None))


@pytest.fixture
def noisy(data):
    """Evaluation data on which a model soon gets worse."""
    return ArraySource(data["x"][:11], data["y"][:11][::-1].copy())


@pytest.fixture
def pictured(recorder, monkeypatch):
    """Has each evaluation of a trainer draw a line, and notes the steps of those that are shown."""

    def make(trainer):
        line = functools.partial(Picture, name="line", data={}, draw=lambda data, axes: None)
        monkeypatch.setattr(trainer._run.program.evaluator, "examples", lambda step: [line(step=step)])
        shown = []
        recorder.picture = lambda picture: shown.append(picture.step)
        return shown

    return make


@pytest.fixture
def run(make_trainer, noisy, replicas):
    """Makes a trainer whose evaluations fall and rise; log records, chunks and checkpoints end at other steps."""

    def make(*callbacks, count=1, rate=0.05, **settings):
        settings = {
            "eval": noisy,
            "optimizer": keras.optimizers.Adam(rate),
            "steps": 60,
            "eval_every": 4,
            "log_every": 7,
            "chunk_steps": 3,
            "checkpoint_every": 6,
            **settings,
        }
        return make_trainer(callbacks=callbacks, strategy=replicas(count), **settings)

    return make


def evaluations(recorder):
    return {line.step: line.values["loss/total"] for line in recorder.lines if line.split == "eval"}


def test_an_epoch_is_the_time_between_two_evaluations(run, recorder):
    noted = Noted()
    trainer = run(noted, steps=10, reports=[recorder], log_every=1)
    trainer.train()
    assert noted.calls == [
        ("begin", 0),
        ("end", 0),
        ("begin", 1),
        ("end", 1),
        ("begin", 2),
        ("end", 2),
        ("finish", None),
    ]
    assert noted.model is trainer.model
    assert noted.params["epochs"] == 3
    rows = np.array(recorder.column("loss/total"))
    found = evaluations(recorder)
    for logs, step, first in zip(noted.logs, (4, 8, 10), (0, 4, 8), strict=True):
        assert logs["loss/total"] == logs["val_loss"] == found[step]
        assert logs["train/loss/total"] == logs["loss"] == pytest.approx(rows[first:step].mean(), rel=1e-6)
        assert logs["optimizer/learning_rate"] == pytest.approx(0.05)
        assert "terms/data/raw" in logs
        assert "train/terms/data/raw" in logs


def test_early_stopping_stops_where_that_of_keras_would_and_not_again(run, recorder, pictured, tmp_path):
    stopping = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    trainer = run(stopping, workdir=tmp_path / "run", reports=[recorder, JsonLines()])
    shown = pictured(trainer)
    values = trainer.train()
    assert shown == [4, trainer.step]
    assert recorder.ended == ["complete"]
    found = evaluations(recorder)
    steps = sorted(found)
    best = min(steps[:-1], key=found.__getitem__)
    assert trainer.step == best + 8 < 60
    assert jsonl.read(tmp_path / "run")[-2].step == trainer.step  # the steps since the last record are not lost
    assert values["loss/total"] == found[trainer.step] == trainer.evaluate()["loss/total"]
    assert values["loss/total"] == pytest.approx(stopping.best)
    kept = Checkpoints(tmp_path / "run" / "checkpoints").latest()
    assert (kept.step, kept.progress["stopped_by"]) == (trainer.step, "EarlyStopping")
    assert kept.value("loss/total") == values["loss/total"]
    again = run(keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True), workdir=tmp_path / "run")
    assert again.train()["loss/total"] == values["loss/total"]
    assert again.step == trainer.step
    assert [array.tolist() for array in again.model.get_weights()] == [
        array.tolist() for array in trainer.model.get_weights()
    ]


def with_keras(callback, values, rate=0.05):
    """What a callback of Keras decides, driven by hand over the values of an evaluation: (stop at, rates after)."""
    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    model.stop_training = False
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"val_loss": value})
        rates.append(float(model.optimizer.learning_rate))
        if model.stop_training:
            return epoch, rates
    return None, rates


@pytest.mark.slow
@pytest.mark.parametrize(("execution", "count"), [("graph", 1), ("xla_loop", 1), ("graph", 3)])
def test_plateaus_and_stops_are_those_of_keras_in_every_execution(run, recorder, pictured, execution, count):
    plateau, stopping = {"patience": 1, "factor": 0.5}, {"patience": 4, "min_delta": 0.01}
    trainer = run(
        keras.callbacks.ReduceLROnPlateau(**plateau),
        keras.callbacks.EarlyStopping(**stopping),
        count=count,
        execution=execution,
        reports=[recorder],
        log_every=1,
    )
    shown = pictured(trainer)
    trainer.train()
    assert shown == [4, trainer.step]
    values = list(evaluations(recorder).values())
    stopped, _ = with_keras(keras.callbacks.EarlyStopping(**stopping), values)
    _, rates = with_keras(keras.callbacks.ReduceLROnPlateau(**plateau), values)
    assert trainer.step == 4 * (stopped + 1) < 60
    assert len({*rates}) > 2
    logged = recorder.column("optimizer/learning_rate")
    assert logged == pytest.approx([0.05] * 4 + [rate for rate in rates[:-1] for _ in range(4)], rel=1e-6)


@pytest.mark.slow
def test_a_schedule_of_epochs_is_followed_and_not_repeated_on_resume(run, recorder, tmp_path):
    def schedule(epoch, rate):
        return rate * 0.5

    def make():
        return run(
            keras.callbacks.LearningRateScheduler(schedule), workdir=tmp_path, steps=12, reports=[recorder], log_every=1
        )

    for until in (2, 5, 8, 12):
        make().train(until=until)
    assert recorder.column("optimizer/learning_rate") == pytest.approx([0.025] * 4 + [0.0125] * 4 + [0.00625] * 4)


def states(folder):
    """The arrays of the latest checkpoint, what callbacks have counted, and the records of a run without looks."""
    latest = Checkpoints(folder / "checkpoints").latest()
    records = [
        (line.split, line.step, {tag: value for tag, value in line.values.items() if "speed" not in tag})
        for line in jsonl.read(folder)
        if line.split == "train" or line.step % 4 == 0
    ]
    del latest.progress["callbacks"]["settings"]  # the names of the CSV files differ
    return {**latest.arrays(), **latest.arrays_of_callbacks()}, latest.progress, records


def assert_same_end(folder, whole):
    ours, expected = states(folder), states(whole)
    assert ours[1:] == expected[1:]
    assert ours[0].keys() == expected[0].keys()
    for name, value in expected[0].items():
        np.testing.assert_array_equal(ours[0][name], value, err_msg=name)


@pytest.fixture
def adapted(run, tmp_path):
    """Makes a trainer in a folder, with callbacks of all kinds of state, as a new process would."""

    def make(name, *more, **settings):
        return run(
            keras.callbacks.ReduceLROnPlateau(patience=1, factor=0.7),
            keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True),
            Noted(),
            keras.callbacks.CSVLogger(tmp_path / f"{name}.csv"),
            *more,
            **{"workdir": tmp_path / name, "reports": [JsonLines(tmp_path / name)], "rate": 0.1, **settings},
        )

    return make


@pytest.mark.slow
def test_a_run_stopped_and_resumed_anywhere_ends_at_the_same_step_with_the_same_bits(adapted, tmp_path):
    settings = {"count": 3, "batch_size": 8, "average_momentum": 0.8}
    whole = adapted("whole", **settings)
    whole.train()
    assert 20 < whole.step < 60
    for until in (3, whole.step - 1):
        adapted("parts", **settings).train(until=until)
    again = adapted("parts", **settings)
    again.train()
    assert_same_end(tmp_path / "parts", tmp_path / "whole")
    assert (tmp_path / "parts.csv").read_text() == (tmp_path / "whole.csv").read_text()
    assert [one.tobytes() for one in again.model.get_weights()] == [one.tobytes() for one in whole.model.get_weights()]
    rest = adapted("parts", **settings)
    rest.train()
    assert_same_end(tmp_path / "parts", tmp_path / "whole")
    assert (tmp_path / "parts.csv").read_text() == (tmp_path / "whole.csv").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_the_best_weights_are_those_that_were_evaluated_averages_included(run, recorder, tmp_path, count):
    stopping = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    trainer = run(
        stopping, count=count, average_momentum=0.7, workdir=tmp_path, reports=[recorder], best="loss/total", rate=0.2
    )
    values = trainer.train()
    found = evaluations(recorder)
    best = min(found[step] for step in sorted(found)[:-1])
    assert trainer.step < 60
    assert values["loss/total"] == pytest.approx(best, rel=1e-6)
    assert trainer.evaluate()["loss/total"] == values["loss/total"]
    own = trainer.model.get_weights()
    with trainer.averaged():
        assert [one.tobytes() for one in trainer.model.get_weights()] == [one.tobytes() for one in own]
    assert [one.tobytes() for one in own] == [one.tobytes() for one in stopping.best_weights]
    kept = Checkpoints(tmp_path / "checkpoints")
    assert kept.best("loss/total").value("loss/total") == pytest.approx(best, rel=1e-6)
    assert kept.latest().value("loss/total") == values["loss/total"]


@pytest.mark.slow
def test_a_callback_that_fails_loses_no_training_and_the_others_count_once(adapted, tmp_path):
    fails = [3]

    def fail(epoch, logs):
        if epoch == fails[0]:
            raise ValueError("the disk of the plots is full")

    def make(name, **settings):
        return adapted(name, keras.callbacks.LambdaCallback(on_epoch_end=fail), **settings)

    with pytest.raises(ConfigurationError, match=r"LambdaCallback.on_epoch_end\(\) .*test_epochs.py, line .* plots"):
        make("parts").train()
    assert Checkpoints(tmp_path / "parts" / "checkpoints").latest().step == 16
    fails[0] = None
    make("parts", allow_config_change=True).train()
    make("whole").train()
    assert_same_end(tmp_path / "parts", tmp_path / "whole")
    assert (tmp_path / "parts.csv").read_text() == (tmp_path / "whole.csv").read_text()


@pytest.mark.slow
def test_an_evaluation_that_failed_is_counted_once_it_is_there(adapted, tmp_path, monkeypatch):
    whole = adapted("whole")
    whole.train()
    trainer = adapted("parts")
    trainer.train(until=whole.step - 1)
    with monkeypatch.context() as patched:
        patched.setattr(trainer._run.program.evaluator, "evaluate", lambda step: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            trainer.train()
    assert Checkpoints(tmp_path / "parts" / "checkpoints").latest().step == whole.step
    adapted("parts").train()
    assert_same_end(tmp_path / "parts", tmp_path / "whole")


@pytest.mark.slow
def test_a_changed_parameter_is_refused_and_where_it_is_allowed_the_run_trains_on(run, tmp_path):
    def make(patience, mode="auto", **settings):
        return run(keras.callbacks.EarlyStopping(patience=patience, mode=mode), workdir=tmp_path, **settings)

    first = make(1)
    first.train()
    make(1, mode="min").train()
    assert Checkpoints(tmp_path / "checkpoints").latest().step == first.step  # 'auto' was 'min'
    with pytest.raises(ConfigurationError, match=r"EarlyStopping.patience \(Trainer.callbacks\[0\]\): 1 -> 3"):
        make(3)
    with pytest.raises(ConfigurationError, match=r"Trainer.callbacks: EarlyStopping -> nothing"):
        run(workdir=tmp_path)
    later = make(3, allow_config_change=True)
    later.train()
    assert later.step == first.step + 8
    last = run(workdir=tmp_path, allow_config_change=True)
    last.train()
    assert last.step == 60


@pytest.mark.slow
def test_without_evaluation_data_an_epoch_has_the_means_of_training(run, recorder):
    noted = Noted()
    trainer = run(noted, eval=None, steps=8, reports=[recorder])
    trainer.train()
    assert [call for call in noted.calls if call[0] == "end"] == [("end", 0), ("end", 1)]
    assert "val_loss" not in noted.logs[0]
    assert noted.logs[0]["loss"] == noted.logs[0]["train/loss/total"]
    stopping = keras.callbacks.EarlyStopping(monitor="loss", mode="max", patience=0)
    trainer = run(stopping, eval=None, reports=[later := type(recorder)()])
    values = trainer.train()
    assert trainer.step == 8
    assert later.steps() == [7, 8]
    assert values == later.lines[-1].values


@pytest.mark.slow
def test_returning_to_a_checkpoint_returns_the_callbacks_too(run, data, recorder, tmp_path):
    """The 9th batch of 10 has an infinite input: step 9 returns to step 6, past the evaluation at step 8."""

    def make(name, x, **settings):
        source = ArraySource(x, data["y"], shuffle=False)
        more = {"steps": 20, "batch_size": 2, "chunk_steps": 5, "reports": [recorder], "workdir": tmp_path / name}
        return run(noted := Noted(), train=source, **more, **settings), noted

    x = data["x"].copy()
    x[17] = np.inf
    trainer, noted = make("run", x, non_finite="rollback", checkpoint_every=3)
    trainer.train()
    assert recorder.column("non_finite/rollbacks")[-1] == 2
    expected, whole = make("whole", data["x"], non_finite="rollback", checkpoint_every=3)
    expected.train()
    assert noted.calls == whole.calls
    assert len(noted.logs) == 5


@pytest.mark.slow
def test_a_plateau_lowers_the_learning_rate_of_each_group(run, recorder):
    groups = (
        OptimizerGroup(optimizer=keras.optimizers.Adam(0.1), variables="hidden/.*"),
        OptimizerGroup(optimizer=keras.optimizers.SGD(0.01)),
    )
    plateau = keras.callbacks.ReduceLROnPlateau(patience=0, min_delta=1e3, factor=0.5)
    noted = Noted()
    trainer = run(plateau, noted, optimizer=None, optimizers=groups, steps=12, log_every=1, reports=[recorder])
    trainer.train()
    assert recorder.column("optimizer/hidden/learning_rate") == pytest.approx([0.1] * 8 + [0.05] * 4)
    assert recorder.column("optimizer/rest/learning_rate") == pytest.approx([0.01] * 8 + [0.005] * 4)
    assert [logs["optimizer/rest/learning_rate"] for logs in noted.logs] == pytest.approx([0.01, 0.01, 0.005])


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_a_metric_of_evaluation_stops_a_run(run, data, recorder, count):
    labels = ArraySource(data["x"], (data["y"] > 0).astype(np.float32))
    trainer = run(
        keras.callbacks.EarlyStopping(monitor="metrics/auc", patience=2),
        count=count,
        train=labels,
        eval=labels,
        rate=0.2,
        metrics=Metrics(auc=KerasMetric(metric=keras.metrics.AUC(from_logits=True))),
        reports=[recorder],
    )
    trainer.train()
    found = recorder.column("metrics/auc", "eval")
    assert max(found[-2:]) <= max(found[:-2])
    assert trainer.step == 4 * len(found) < 60


def test_a_callback_may_evaluate_but_not_train(run):
    class Curious(Noted):
        def on_epoch_end(self, epoch, logs=None):
            assert trainer.evaluate()["loss/total"] == logs["val_loss"]
            trainer.train()

    trainer = run(Curious(), steps=4)
    with pytest.raises(ConfigurationError, match=r"train\(\) inside of a callback of Trainer.callbacks; expected that"):
        trainer.train()
