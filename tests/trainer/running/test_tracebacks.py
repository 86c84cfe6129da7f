"""Tracebacks: a mistake in a configuration is told without frames of TensorFlow, an error of user code with its own."""

import traceback

import keras
import pytest

from objectives import ConfigurationError, FunctionTerm, MeanSquaredError, Objective

WRONG_KEY = Objective(data=MeanSquaredError(y_pred="outputs.other"))


def broken(outputs):
    raise KeyError("no such scan")


def raised(trainer):
    with pytest.raises(ConfigurationError) as error:
        trainer.train()
    return "".join(traceback.format_exception(error.value))


def test_a_wrong_key_is_told_without_the_frames_of_the_trace(make_trainer):
    text = raised(make_trainer(objective=WRONG_KEY))
    assert "key 'outputs.other'" in text
    assert "tensorflow" not in text
    assert len(text.splitlines()) < 25


def test_an_error_of_the_users_own_code_keeps_its_place(make_trainer):
    text = raised(make_trainer(objective=Objective(data=FunctionTerm(fn=broken))))
    assert 'raise KeyError("no such scan")' in text


def test_whoever_turns_filtering_off_sees_all_frames(make_trainer):
    keras.config.disable_traceback_filtering()
    try:
        assert "tensorflow" in raised(make_trainer(objective=WRONG_KEY))
    finally:
        keras.config.enable_traceback_filtering()
