"""Calls: callbacks are called one after the other, and where one fails, those before it are not called twice."""

import contextlib

import keras
import pytest

from objectives import ConfigurationError
from trainer.callbacks.calls import Calls
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
        calls.start({"epochs": 3, "steps": 4}, resumes=False)
        return calls, notes

    with contextlib.ExitStack() as opened:
        yield make


def test_a_failure_is_blamed_on_its_line_and_the_rest_is_called_later(make_calls):
    first, second, third = Counter(), Counter(fails=True), Counter()
    calls, _ = make_calls(first, second, third)
    with pytest.raises(ConfigurationError) as error:
        calls.call("on_epoch_end", 0, {})
    assert str(error.value).startswith("Counter.on_epoch_end() (Trainer.callbacks[1]): ")
    assert "test_calls.py, line " in str(error.value)
    assert "ValueError: no such plot" in str(error.value)
    assert [one.count for one in (first, second, third)] == [1, 0, 0]
    second.fails = False
    calls.call("on_epoch_end", 0, {})
    assert [one.count for one in (first, second, third)] == [1, 1, 1]
    assert calls.passed == 0


def test_parameters_say_what_keras_would_and_who_writes_files(make_calls):
    counter = Counter()
    make_calls(counter)
    assert counter.params == {"epochs": 3, "steps": 4, "verbose": 1, "is_chief": True}


def test_the_first_that_asks_for_the_end_is_named(make_calls):
    stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(stop.model, "stop_training", True))
    stopping = keras.callbacks.EarlyStopping(patience=0)
    calls, _ = make_calls(Counter(), stop, stopping)
    calls.call("on_epoch_end", 0, {"val_loss": 1.0})
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
