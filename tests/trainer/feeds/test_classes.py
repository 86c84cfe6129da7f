"""Classes: all code that a user's own class holds, by whichever decorator, and its attributes."""

import functools

import keras
import pytest
import tensorflow as tf

from trainer.feeds.classes import attributes_of, methods_of
from trainer.feeds.functions import describe_function


def scaled(by):
    return lambda *arguments: by * len(arguments)


HOLDERS = {
    "a method": lambda function: function,
    "a static method": staticmethod,
    "a class method": classmethod,
    "a property": property,
    "a cached property": functools.cached_property,
    "a function of TensorFlow": tf.function,
    "a cached function": functools.cache,
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("base", [object, keras.layers.Layer])
def test_the_code_of_a_class_counts_however_it_is_held(holder, base):
    def described(by):
        kind = type("Own", (base,), {"factor": HOLDERS[holder](scaled(by)), "__module__": __name__})
        assert attributes_of(kind) == {}
        return {name: describe_function(method) for name, method in methods_of(kind).items()}

    assert [*described(2.0)] == ["factor()"]
    assert described(2.0) == described(2.0) != described(3.0)


def test_what_a_class_inherits_and_overrides_counts_once():
    class One:
        factor, other = 2.0, "a"

    class Two(One):
        factor = 3.0

        @property
        def twice(self):
            return 2 * self.factor

    assert attributes_of(Two) == {"factor": 3.0, "other": "a"}
    assert [*methods_of(Two)] == ["twice()"]


def test_classes_of_libraries_hold_nothing_of_the_users():
    assert attributes_of(keras.layers.Dense) == methods_of(keras.layers.Dense) == {}
