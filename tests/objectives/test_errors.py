"""Mistakes: gathered, prefixed with their place, raised together; near matches."""

import gin
import pytest

from objectives import ConfigurationError
from objectives.errors import Mistakes, expected


@pytest.fixture
def mistakes():
    return Mistakes()


def test_all_mistakes_are_raised_together_each_with_its_place(mistakes):
    with mistakes.gathered("term 'a'"):
        raise ConfigurationError("first", "second")
    with mistakes.gathered():
        raise ConfigurationError("third")
    with pytest.raises(ConfigurationError) as error:
        mistakes.raise_any()
    assert error.value.messages == ("term 'a': first", "term 'a': second", "third")
    assert str(error.value) == "term 'a': first\nterm 'a': second\nthird"


def test_no_mistakes_raise_nothing(mistakes):
    with mistakes.gathered("fine"):
        pass
    mistakes.raise_any()


def test_an_error_that_is_no_mistake_of_the_user_passes_through(mistakes):
    with pytest.raises(ZeroDivisionError), mistakes.gathered("term"):
        _ = 1 / 0
    mistakes.raise_any()


@pytest.mark.parametrize(
    ("name", "valid", "answer"),
    [
        ("outptus", ["targets", "outputs"], "did you mean 'outputs'? (known: outputs, targets)"),
        ("zzz", ["b", "a", "b"], "known: a, b"),
        ("a", [], "there are none"),
    ],
)
def test_the_nearest_name_is_proposed_only_where_one_is_near(name, valid, answer):
    assert expected(name, valid) == answer


def test_the_first_cause_stays_with_all_that_was_gathered(mistakes):
    first = ConfigurationError("first")
    with mistakes.gathered("a"):
        raise first
    with pytest.raises(ConfigurationError) as error:
        mistakes.raise_any()
    assert error.value.__cause__ is first


def test_gin_adds_nothing_to_a_mistake_in_what_it_calls():
    @gin.configurable(module="tests")
    def mistaken():
        raise ConfigurationError("first", "second")

    with pytest.raises(ConfigurationError) as error:
        mistaken()
    assert (str(error.value), error.value.messages) == ("first\nsecond", ("first", "second"))
