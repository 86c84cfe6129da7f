"""Functions of gin: they are described by the user's function and its own parameters, and by nothing else of gin."""

import gin
import pytest

from trainer.feeds.functions import describe_function
from trainer.feeds.gin_functions import opened


@gin.register(module="tests")
def top_of(step, height=0.5, inner=None):
    return height


@gin.configurable(module="tests")
def wrapped(step, height=0.5):
    return height


def calls_wrapped(step):
    return wrapped(step)


@gin.register(module="tests")
def calls_wrapped_too(step):
    return wrapped(step)


@gin.register(module="tests")
class Holder:
    def __init__(self, function=None, size=1):
        self.function = function


@pytest.fixture
def given():
    """What gin passes for a reference, after these bindings; gin calls something else in between."""

    def resolve(reference, *bindings):
        gin.clear_config()
        gin.parse_config([f"Holder.function = {reference}", *bindings])
        gin.get_configurable(wrapped)(0)
        return gin.get_bindings("Holder")["function"]

    return resolve


@pytest.mark.parametrize(
    ("reference", "bindings", "parameters"),
    [
        ("@top_of", [], {"height": 0.5, "inner": None}),
        ("@top_of", ["top_of.height = 0.9", "a/top_of.height = 0.2"], {"height": 0.9, "inner": None}),
        ("@a/top_of", ["top_of.height = 0.9", "a/top_of.height = 0.2"], {"height": 0.2, "inner": None}),
        ("@a/b/top_of", ["top_of.inner = 1", "a/top_of.height = 0.2"], {"height": 0.2, "inner": 1}),
        ("@top_of", ["top_of.height = %HEIGHT", "HEIGHT = 0.7"], {"height": 0.7, "inner": None}),
    ],
)
def test_the_users_function_is_found_with_its_parameters(given, reference, bindings, parameters):
    with opened(given(reference, *bindings)) as (function, found):
        assert function.__code__.co_filename == __file__
        assert found == parameters
    assert gin.current_scope() == []


def test_any_other_value_is_itself():
    for value in (0.5, None, Holder, calls_wrapped, gin.query_parameter):
        with opened(value) as found:
            assert found == (value, {})


@pytest.mark.parametrize("reference", ["@top_of", "@a/top_of"])
def test_a_digest_does_not_depend_on_the_rest_of_gins_state(given, reference):
    described = describe_function(given(reference, "top_of.height = 0.9"))
    assert described == describe_function(
        given(reference, "top_of.height = 0.9", "Holder.size = 7", "b/top_of.inner = 2")
    )
    assert described != describe_function(given(reference, "top_of.height = 0.2"))
    assert described.startswith("top_of (digest ")


def test_a_parameter_that_is_bound_to_its_default_changes_nothing(given):
    assert describe_function(given("@top_of")) == describe_function(given("@top_of", "top_of.height = 0.5"))


def test_a_digest_covers_the_parameters_of_functions_that_are_called_inside(given):
    gin.clear_config()
    described = describe_function(calls_wrapped)
    gin.bind_parameter("wrapped.height", 0.9)
    assert describe_function(calls_wrapped) != described


def test_a_function_that_is_called_inside_has_the_scope_of_its_caller(given):
    one, other = (describe_function(given("@a/calls_wrapped_too", f"a/wrapped.height = {h}")) for h in (0.9, 0.2))
    assert one != other
    assert describe_function(given("@b/calls_wrapped_too", "a/wrapped.height = 0.9")) == describe_function(
        given("@b/calls_wrapped_too", "a/wrapped.height = 0.2")
    )
