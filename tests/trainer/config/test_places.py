"""Places: what fails is reported with the line that asks for it and with the flags that gave it its values."""

import re

import gin
import pytest

from objectives import ConfigurationError
from trainer import Trainer, config

FILE = """Trainer.task = @failing()
failing.width = 3
failing.depth = %DEPTH
DEPTH = 2
"""


@gin.register(module="tests")
def failing(width, depth, message="it is wrong", inner=None):
    """Fails whatever it is given, as a model's function does somewhere inside of Keras."""
    raise ValueError(message)


@gin.configurable(module="tests")
def unmentioned(units):
    """Is called by another function, so that no file refers to it."""
    raise ValueError(f"no {units}")


@gin.register(module="tests")
def calling():
    """Calls another function that gin configures."""
    return unmentioned()


@pytest.fixture
def place_with(file, tmp_path):
    """What is said before the words of the error, given some flags."""

    def place(*flags, text=FILE):
        with config.isolated(), pytest.raises(ConfigurationError) as error:
            config.load([file(text)], flags)
            config.build(Trainer)
        return re.split(r" (?:failing|unmentioned): ", str(error.value).replace(f"{tmp_path}/", ""))[0]

    return place


def test_a_file_alone_is_named_by_the_line_that_refers_to_what_fails(place_with):
    assert place_with() == "run.gin, line 1:"


def test_a_flag_that_gave_a_value_is_named_beside_it(place_with):
    assert place_with("failing.width = -1") == "run.gin, line 1, with --gin_param='failing.width = -1':"
    both = "run.gin, line 1, with --gin_param='failing.width = -1' and --gin_param='failing.depth = 0':"
    assert place_with("failing.width = -1", "failing.depth = 0") == both


def test_of_two_flags_for_one_parameter_the_later_one_is_named(place_with):
    assert place_with("failing.width = 1", "failing.width = 2").endswith(
        "line 1, with --gin_param='failing.width = 2':"
    )


def test_a_flag_that_set_a_macro_of_the_file_is_named(place_with):
    assert place_with("DEPTH = -1") == "run.gin, line 1, with --gin_param='DEPTH = -1':"


def test_the_flag_alone_is_named_where_it_refers_to_what_fails_or_the_message_is_about_it(place_with):
    values = FILE.partition("\n")[2]
    assert place_with("Trainer.task = @failing()", text=values) == "--gin_param='Trainer.task = @failing()':"
    flag = "failing.message = 'the message is at fault'"
    assert place_with(flag) == f'--gin_param="{flag}":'


def test_a_flag_of_what_no_file_refers_to_is_named(place_with):
    flag = "unmentioned.units = 7"
    assert place_with(flag, text="Trainer.task = @calling()") == f"--gin_param='{flag}':"
