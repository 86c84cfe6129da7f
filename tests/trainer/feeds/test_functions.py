"""Functions in words: alike in every process and cell, different where any number that they compute with is."""

import functools
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.feeds.functions import describe_array, describe_function

SOURCE = '''
import functools
import numpy as np
import tensorflow as tf
SCALE = {scale}
TABLE = np.array([1.0, {entry}])
def helper(x):
    return x * {factor}
def term(y_true, y_pred, power={power}):
    """Some words."""
    inner = lambda x: helper(x) ** power
    return SCALE * inner(y_pred - y_true) + TABLE[0] + {added}
def made(by):
    return lambda y_pred: by * y_pred
class Ramp:
    def __init__(self, steps): self.steps = steps
    def __call__(self, step): return step / self.steps
'''
USED = {"scale": 2.0, "entry": 3.0, "factor": 4.0, "power": 5.0, "added": 6.0}


def cell(source=SOURCE, **changed):
    """A module as a cell of a notebook makes it."""
    names = {"__name__": "__main__"}
    exec(compile(source.format(**{**USED, **changed}), "<cell>", "exec"), names)
    return names


@pytest.mark.parametrize("what", USED)
def test_any_changed_constant_changes_the_digest(what):
    assert describe_function(cell()["term"]) == describe_function(cell()["term"])
    assert describe_function(cell()["term"]) != describe_function(cell(**{what: 7.5})["term"])


@pytest.mark.parametrize("make", [lambda texts: tf.constant(texts), lambda texts: np.array(texts, object)])
def test_texts_are_digested_by_their_letters_not_by_where_they_lie(make):
    texts = ["a few words", "and more"]
    assert describe_array(make([text + "!" for text in texts])) == describe_array(make([text + "!" for text in texts]))
    assert describe_array(make(texts)) != describe_array(make(texts[::-1]))


def test_a_function_that_holds_a_handle_is_described_without_its_value():
    def holding(handle):
        return lambda y_pred: handle

    one, other = (tf.Variable(value) for value in (1.0, 2.0))
    assert describe_function(holding(one.handle)) == describe_function(holding(other.handle))


def test_comments_and_lines_and_docstrings_change_nothing():
    other = "# a comment\n\n" + SOURCE.replace("Some words.", "Other words.")
    assert describe_function(cell()["term"]) == describe_function(cell(other)["term"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (2.0, 3.0),
        ("a", "b"),
        (np.zeros(3), np.ones(3)),
        (np.zeros(3), np.zeros(3, np.float32)),
        (tf.constant([1.0]), tf.constant([2.0])),
        (tf.constant(["a few words"]), tf.constant(["other words"])),
        ((1, [2, {"a": 3}]), (1, [2, {"a": 4}])),
        (lambda x: x + 1, lambda x: x + 2),
        (functools.partial(pow, 2), functools.partial(pow, 3)),
        (None, 0),
        (True, 1),
    ],
)
def test_what_a_function_closes_over_is_part_of_it(one, other):
    made = cell()["made"]
    assert describe_function(made(one)) == describe_function(made(one))
    assert describe_function(made(one)) != describe_function(made(other))


def test_partials_methods_and_objects_that_can_be_called_count_with_their_settings():
    ramp, made = cell()["Ramp"], cell()["made"]
    for make in (ramp, made, lambda n: functools.partial(pow, n), lambda n: ramp(n).__call__):
        assert describe_function(make(3)) == describe_function(make(3))
        assert describe_function(make(3)) != describe_function(make(4))
    assert describe_function(ramp(3)).startswith("Ramp (digest ")


def test_a_function_compiled_by_tensorflow_is_known_by_what_it_was_made_of():
    made = cell()["made"]
    assert describe_function(tf.function(made(2.0))) == describe_function(made(2.0))
    assert describe_function(tf.function(made(2.0))) != describe_function(tf.function(made(3.0)))


def test_a_loss_of_keras_counts_with_its_settings_and_without_its_name():
    made = cell()["made"]
    first, second, other = (describe_function(made(keras.losses.Huber(delta=delta))) for delta in (1.0, 1.0, 2.0))
    assert first == second != other


def test_what_training_changes_is_no_part_of_it():
    made, variable = cell()["made"], tf.Variable(1.0)
    before = describe_function(made(variable))
    variable.assign(2.0)
    assert describe_function(made(variable)) == before


def test_a_function_that_calls_itself_has_a_digest():
    def fall(x):
        return fall(x - 1) if x else 0

    assert describe_function(fall).endswith(")")


@pytest.mark.slow
def test_another_process_finds_the_same():
    code = f"names = {{'__name__': '__main__'}}\nexec({SOURCE.format(**USED)!r}, names)\n"
    code += "from trainer.feeds.functions import describe_function\nprint(describe_function(names['term']))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == describe_function(cell()["term"])
