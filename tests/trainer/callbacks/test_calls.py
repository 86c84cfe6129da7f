"""Calls: callbacks are called one after the other, and where one fails, those before it are not called twice."""

import contextlib

import keras
import pytest

from objectives import ConfigurationError
from trainer.callbacks.calls import Calls
from trainer.callbacks.memory import Memory
from trainer.steps.groups import only_group


class Counter(keras.callbacks.Callback):
    """Counts its calls, and fails once after it has counted."""

    def __init__(self, fails=False):
        super().__init__()
        self.fails, self.count = fails, 0

    def on_epoch_end(self, epoch, logs=None):
        self.count += 1
        if self.fails:
            raise ValueError("no such plot")


@pytest.fixture
def make_calls(make_trainer):
    """Makes the calls of some callbacks, started, and the list of their notes."""

    def make(*callbacks):
        trainer, notes = make_trainer(), []
        calls = Calls(
            callbacks,
            strategy=trainer._strategy,
            program=trainer._run.program,
            model=trainer.model,
            groups=only_group(trainer.optimizer, trainer.model),
            note=notes.append,
        )
        opened.enter_context(trainer._at_work())
        calls.start({"epochs": 3, "steps": 4}, step=0, resumes=False)
        return calls, notes

    with contextlib.ExitStack() as opened:
        yield make


def test_a_failure_is_blamed_on_its_line_and_the_rest_is_called_later(make_calls):
    first, second, third = Counter(), Counter(fails=True), Counter()
    calls, _ = make_calls(first, second, third)
    with pytest.raises(ConfigurationError) as error:
        calls.call("on_epoch_end", 0, {}, step=4)
    assert str(error.value).startswith("Counter.on_epoch_end() (Trainer.callbacks[1]): ")
    assert "test_calls.py, line " in str(error.value)
    assert "ValueError: no such plot" in str(error.value)
    assert [one.count for one in (first, second, third)] == [1, 0, 0]
    second.fails = False
    calls.call("on_epoch_end", 0, {}, step=4)
    assert [one.count for one in (first, second, third)] == [1, 1, 1]
    assert calls.passed == 0


def test_what_a_failing_callback_has_written_is_put_back_and_what_those_before_it_have_stays(make_calls):
    class Writes(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            optimizer = self.model.optimizer
            optimizer.learning_rate = float(optimizer.learning_rate) * 0.5
            optimizer.iterations.assign_add(3)
            bias = self.model.layers[-1].bias
            bias.assign(bias + 1.0)

    class WritesAndFails(Writes):
        fails = True

        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            if self.fails:
                raise OSError("no space left")

    first, second = Writes(), WritesAndFails()
    calls, _ = make_calls(first, second)
    optimizer, bias = calls._groups[0].optimizer, calls._model.layers[-1].bias
    rate, count, value = (one.numpy() for one in (optimizer._learning_rate, optimizer.iterations, bias))

    def found():
        return (
            (optimizer._learning_rate.numpy() / rate).tolist(),
            int(optimizer.iterations.numpy() - count),
            (bias.numpy() - value).round(5).tolist()[0],
        )

    with pytest.raises(ConfigurationError, match="no space left"):
        calls.call("on_epoch_end", 0, {}, step=4)
    assert found() == (0.5, 3, 1.0)
    second.fails = False
    calls.call("on_epoch_end", 0, {}, step=4)
    assert found() == (0.25, 6, 2.0)


def test_a_callback_without_the_hook_is_neither_called_nor_looked_at(make_calls, monkeypatch):
    calls, _ = make_calls(only_begins := keras.callbacks.LambdaCallback(on_epoch_begin=print), counter := Counter())
    looked_at, now = [], Memory.now
    monkeypatch.setattr(Memory, "now", lambda memory: looked_at.append(memory._callback) or now(memory))
    calls.call("on_epoch_end", 0, {}, step=4)
    assert (looked_at, counter.count, calls.passed) == ([counter], 1, 0)
    calls.call("on_epoch_begin", 1, {}, step=4)
    assert looked_at == [counter, only_begins]


@pytest.mark.parametrize(
    "change", [lambda model: setattr(model, "optimizer", keras.optimizers.SGD(0.0)), lambda model: model.compile("sgd")]
)
def test_another_optimizer_is_refused(make_calls, change):
    other = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: change(other.model))
    calls, _ = make_calls(other)
    with pytest.raises(
        ConfigurationError, match=r"LambdaCallback.on_epoch_end\(\) .* sets another optimizer .*\(SGD\)"
    ):
        calls.call("on_epoch_end", 0, {}, step=4)


@pytest.mark.parametrize("rate", [-0.5, float("nan")])
def test_a_learning_rate_that_is_none_is_refused(make_calls, rate):
    lower = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(lower.model.optimizer, "learning_rate", rate)
    )
    calls, _ = make_calls(lower)
    said = rf"LambdaCallback.on_epoch_end\(\) \(Trainer.callbacks\[0\]\) has set, is {rate:g}; expected a finite number"
    with pytest.raises(ConfigurationError, match=said):
        calls.call("on_epoch_end", 0, {}, step=4)
    assert calls.learning_rates["optimizer/learning_rate"] > 0


def test_each_change_of_the_learning_rate_is_told_once_with_the_callback_and_the_step(make_calls):
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, factor=0.5, min_delta=0)
    plateau.monitor_op = keras.ops.less
    calls, notes = make_calls(Counter(), plateau)
    for step, loss in ((4, 1.0), (1000, 1.0), (1004, 0.5)):
        calls.call("on_epoch_end", 0, {"loss": loss}, step=step)
    rate = calls.learning_rates["optimizer/learning_rate"]
    assert notes == [f"ReduceLROnPlateau sets the learning rate at step 1,000: {2 * rate:.6g} -> {rate:.6g}"]


def test_parameters_say_what_keras_would_and_who_writes_files(make_calls):
    counter = Counter()
    make_calls(counter)
    assert counter.params == {"epochs": 3, "steps": 4, "verbose": 1, "is_chief": True}


def test_the_first_that_asks_for_the_end_is_named(make_calls):
    stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(stop.model, "stop_training", True))
    stopping = keras.callbacks.EarlyStopping(patience=0)
    calls, _ = make_calls(Counter(), stop, stopping)
    calls.call("on_epoch_end", 0, {"val_loss": 1.0}, step=4)
    assert calls.asked_by == "LambdaCallback"


def test_each_gets_what_the_one_of_its_class_had_counted(make_calls):
    one, two = Counter(), Counter()
    calls, _ = make_calls(keras.callbacks.EarlyStopping(), one, two)
    one.count, two.count = 3, 5
    arrays = {}
    kept = calls.kept(arrays)
    resumed, notes = make_calls(new := Counter(), newer := Counter(), newest := Counter())
    resumed.restore(kept, arrays)
    assert [callback.count for callback in (new, newer, newest)] == [3, 5, 0]
    assert notes == []


def test_what_was_counted_of_another_number_is_nothing_to_go_on_from(make_calls):
    def stopping(monitor, op):
        callback = keras.callbacks.EarlyStopping(monitor=monitor)
        callback.monitor_op = op
        return callback

    first = stopping("loss", keras.ops.less)
    calls, _ = make_calls(first)
    calls.call("on_epoch_end", 0, {"loss": 0.5}, step=4)
    kept = calls.kept(arrays := {})
    for again, best in ((stopping("loss", keras.ops.less), 0.5), (stopping("loss", keras.ops.greater), None)):
        resumed, notes = make_calls(again)
        resumed.restore(kept, arrays)
        assert again.best == best
    assert notes == ["EarlyStopping counts anew: it monitors 'loss' (max), and before 'loss' (min)"]


def test_what_no_checkpoint_can_hold_is_told_once_and_where_the_run_resumes(make_calls):
    counter = Counter()
    calls, notes = make_calls(counter)
    counter.tracker = keras.losses.MeanSquaredError()
    arrays = {}
    kept = calls.kept(arrays)
    calls.kept(arrays)
    assert len(notes) == 1
    assert notes[0].startswith(
        "Counter (Trainer.callbacks[0]) changes, or may change, its 'tracker' (of type MeanSquaredError), which"
    )
    resumed, notes = make_calls(Counter())
    resumed.restore(kept, arrays)
    assert notes == ["Counter resumes without its 'tracker' (of type MeanSquaredError), which no checkpoint can hold"]
