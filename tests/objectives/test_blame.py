"""Blame: errors of a user's own code are reported with their owner, their line, and their own words."""

import traceback

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, blame
from objectives.blame import blamed, place_of, told


def raised(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def fail(message="no data"):
    raise OSError(message)


def test_an_error_is_named_chained_and_placed_at_its_innermost_line():
    with (
        pytest.raises(
            ConfigurationError, match=r"^the task: tests/objectives/test_blame.py, line \d+: OSError: no data$"
        ),
        blamed("the task"),
    ):
        fail()
    with pytest.raises(ConfigurationError) as error, blamed("the task"):
        fail()
    assert isinstance(error.value.__cause__, OSError)


def test_a_mistake_that_is_reported_already_stays_as_it_is():
    with pytest.raises(ConfigurationError, match="^known$"), blamed("the task"):
        raise ConfigurationError("known")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_process_ends_it(error):
    with pytest.raises(error), blamed("the task"):
        raise error


def test_an_error_inside_of_a_library_has_the_line_that_called_it():
    error = raised(lambda: np.zeros([2]).reshape([3]))
    assert "test_blame.py" in place_of(error)
    assert told(error).endswith("ValueError: cannot reshape array of size 2 into shape (3,)")


def test_an_error_inside_of_a_compiled_library_has_the_line_that_called_it(tmp_path):
    error = raised(lambda: h5py.File(tmp_path / "absent.h5"))
    assert traceback.extract_tb(error.__traceback__)[-1].filename.endswith(".pyx")
    assert place_of(error).startswith("tests/objectives/test_blame.py, line ")


def test_a_relative_name_of_a_file_that_is_there_is_a_users(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = compile("1 / 0", "own.py", "exec")
    assert "own.py" not in place_of(raised(exec, code))
    (tmp_path / "own.py").touch()
    assert place_of(raised(exec, code)) == "own.py, line 1"


def test_a_tensor_used_as_a_number_is_explained():
    @tf.function(autograph=False)
    def branch(x):
        return x if x > 0 else -x

    @tf.function(autograph=False)
    def numpy(x):
        return x.numpy()

    assert "use tf.where or tf.cond" in told(raised(branch, tf.constant(1.0)))
    assert "use operations of TensorFlow only" in told(raised(numpy, tf.constant(1.0)))


def test_functions_of_a_dataset_are_placed_at_their_own_line():
    dataset = tf.data.Dataset.range(3)
    traced = raised(lambda: dataset.map(lambda x: undefined + x))  # noqa: F821
    assert told(traced).startswith("tests/objectives/test_blame.py, line ")
    assert told(traced).endswith("name 'undefined' is not defined")

    def generate():
        yield 1.0
        fail("the disk is gone")

    generated = tf.data.Dataset.from_generator(generate, output_signature=tf.TensorSpec([]))
    assert "test_blame.py, line " in told(raised(list, generated))
    assert "OSError: the disk is gone" in told(raised(list, generated))


def test_a_file_that_is_not_there_is_named_and_the_call_of_train_is_not_blamed():
    quoted = f"""Graph execution error:

Detected at node while/IteratorGetNextAsOptional defined at (most recent call last):
  File "{__file__}", line 23, in main

  File "{blame.__file__}", line 188, in body

/data/a.tfrecord; No such file or directory
\t [[{{{{node while/IteratorGetNextAsOptional}}}}]] [Op:__inference_pull_571]"""
    missing = tf.errors.NotFoundError(None, None, quoted)
    assert told(missing) == "NotFoundError: /data/a.tfrecord; No such file or directory"

    @tf.function(autograph=False)
    def pull(iterator):
        return iterator.get_next()

    numbers = tf.data.Dataset.from_tensors("abc").map(tf.strings.to_number)
    assert told(raised(pull, iter(numbers))).endswith(
        "InvalidArgumentError: StringToNumberOp could not correctly convert string: abc"
    )
    gone = told(raised(next, iter(tf.data.TextLineDataset("nowhere.txt"))))
    assert gone.endswith("NotFoundError: nowhere.txt; No such file or directory")


def test_a_layer_of_ones_own_is_placed_at_its_own_line():
    class Broken(keras.layers.Layer):
        def call(self, x):
            return x + keras.ops.ones([7])

    said = told(raised(Broken(), np.zeros([2, 3], np.float32)))
    assert said.startswith("tests/objectives/test_blame.py, line ")
    assert "Exception encountered when calling Broken.call()" in said


def test_long_words_are_shortened():
    assert len(told(raised(fail, "x" * 10_000))) < 500
