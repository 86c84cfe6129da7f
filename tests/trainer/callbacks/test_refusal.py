"""Refusal: callbacks that cannot work are refused, each with what does its work."""

import keras
import pytest

from objectives import ConfigurationError
from trainer.callbacks.refusal import HOOKS, overrides, refuse_unworkable


class Batches(keras.callbacks.Callback):
    """Wants to be called after each batch."""

    def on_train_batch_end(self, batch, logs=None):
        pass


class Misspelt(keras.callbacks.Callback):
    """Has a method that nobody calls."""

    def on_epoch_ends(self, epoch, logs=None):
        pass


def refused(callback, eval_every=10, rate=0.1):
    with pytest.raises(ConfigurationError) as error:
        refuse_unworkable([callback], {None: keras.optimizers.SGD(rate)}, eval_every)
    return str(error.value)


@pytest.mark.parametrize(
    ("callback", "instead"),
    [
        (lambda: keras.callbacks.ModelCheckpoint("a.keras"), "Trainer.best = 'loss/total'"),
        (lambda: keras.callbacks.BackupAndRestore("a"), "the same command resumes it"),
        (lambda: keras.callbacks.TensorBoard("a"), "Trainer.reports = [@TensorBoard()]"),
        (lambda: keras.callbacks.ProgbarLogger(), "the report Terminal"),
        (lambda: keras.callbacks.History(), "metrics.jsonl"),
        (lambda: keras.callbacks.TerminateOnNaN(), "Trainer.non_finite"),
        (lambda: keras.callbacks.SwapEMAWeights(), "Trainer.average_momentum"),
        (lambda: keras.callbacks.CallbackList([]), "the callbacks themselves"),
    ],
)
def test_what_the_trainer_does_itself_is_named(callback, instead):
    made = callback()
    said = refused(made)
    assert said.startswith(f"Trainer.callbacks[0] is a {type(made).__name__}; expected none: ")
    assert instead in said


@pytest.mark.parametrize(
    ("callback", "hook"),
    [
        (Batches(), "on_train_batch_end()"),
        (keras.callbacks.LambdaCallback(on_train_batch_begin=print), "on_train_batch_begin()"),
        (keras.callbacks.LambdaCallback(on_test_end=print, on_epoch_end=print), "on_test_end()"),
    ],
)
def test_calls_within_steps_are_refused(callback, hook):
    said = refused(callback)
    assert hook in said
    assert "on_epoch_end()" in said
    assert "Trainer.log_every = 1" in said


@pytest.mark.parametrize("callback", [Misspelt(), keras.callbacks.LambdaCallback(on_epoch_ends=print)])
def test_a_misspelt_method_is_no_method(callback):
    assert "with on_epoch_ends(), which nothing calls; did you mean 'on_epoch_end'?" in refused(callback)


def test_a_function_under_another_name_is_not_called_either():
    said = refused(keras.callbacks.LambdaCallback(epoch_end=print, on_train_end=print))
    assert "with epoch_end(), which nothing calls; did you mean 'on_epoch_end'?" in said


def test_a_callback_without_any_method_is_refused():
    assert "has none of the methods that are called; expected on_train_begin or" in refused(keras.callbacks.Callback())


def test_another_name_is_that_of_a_method():
    class Helps(keras.callbacks.LambdaCallback):
        def on_improvement(self):
            pass

    refuse_unworkable([Helps(on_epoch_end=print)], {None: keras.optimizers.SGD(0.1)}, 10)
    assert "has none of the methods that are called" in refused(Helps())


def test_epochs_need_a_length():
    assert "Trainer.eval_every is None; expected the number of steps" in refused(
        keras.callbacks.EarlyStopping(), eval_every=None
    )
    refuse_unworkable([keras.callbacks.LambdaCallback(on_train_end=print)], {None: keras.optimizers.SGD()}, None)


@pytest.mark.parametrize(
    "callback", [keras.callbacks.ReduceLROnPlateau(), keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate)]
)
def test_a_schedule_cannot_be_set(callback):
    said = refused(callback, rate=keras.optimizers.schedules.CosineDecay(0.1, 10))
    assert f"{type(callback).__name__} of Trainer.callbacks sets the learning rate" in said
    assert "a CosineDecay, which cannot be set; expected a number" in said
    refuse_unworkable([callback], {None: keras.optimizers.SGD(0.1)}, 10)


def test_the_hooks_of_an_object_count_as_those_of_its_class():
    assert overrides(keras.callbacks.EarlyStopping(), HOOKS) == ["on_train_begin", "on_epoch_end", "on_train_end"]
    assert overrides(keras.callbacks.LambdaCallback(on_train_end=print), HOOKS) == ["on_train_end"]
