"""Checkpoints: all that a run needs to go on comes back, and nothing of another model does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.checkpoints import Checkpoints


@pytest.fixture
def make_state(dense_model, tmp_path):
    """Makes a step, a model with Dropout and an optimizer, and their checkpoints in one folder."""

    def make(seed, optimizer=None, between=None):
        model = dense_model(between or (lambda: keras.layers.Dropout(0.5)), seed=seed)
        optimizer = optimizer or keras.optimizers.Adam(0.1)
        optimizer.build(model.trainable_variables)
        step = tf.Variable(0, dtype=tf.int64)
        return step, model, optimizer, Checkpoints(tmp_path, step=step, model=model, optimizer=optimizer)

    return make


def test_where_there_is_none_nothing_is_restored(make_state):
    step, model, _, checkpoints = make_state(seed=1)
    before = model.get_weights()
    assert checkpoints.restore() is False
    assert int(step) == 0
    for ours, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_the_newest_comes_back_whole(make_state):
    step, model, optimizer, checkpoints = make_state(seed=1)
    for number in (3, 7):
        model(np.ones([2, 3], np.float32), training=True)  # moves the state of the random generator
        optimizer.apply([tf.ones(v.shape) for v in model.trainable_variables], model.trainable_variables)
        step.assign(number)
        checkpoints.save()
    other_step, other, other_optimizer, other_checkpoints = make_state(seed=2)
    assert other_checkpoints.restore() is True
    assert int(other_step) == 7
    pairs = zip([*other.variables, *other_optimizer.variables], [*model.variables, *optimizer.variables], strict=True)
    for restored, saved in pairs:
        np.testing.assert_array_equal(restored, saved, err_msg=saved.path)
    assert model.non_trainable_variables  # the generator was among them


def test_the_newest_three_are_kept(make_state, tmp_path):
    step, _, _, checkpoints = make_state(seed=1)
    for number in (1, 2, 3, 10):
        step.assign(number)
        checkpoints.save()
    assert sorted(path.stem for path in tmp_path.glob("*.index")) == ["ckpt-10", "ckpt-2", "ckpt-3"]


@pytest.mark.parametrize(
    "other",
    [{"between": lambda: keras.layers.Dense(7)}, {"optimizer": keras.optimizers.SGD(0.1, momentum=0.9)}],
    ids=["of another model", "of another optimizer"],
)
def test_a_checkpoint_of_something_else_is_refused(make_state, tmp_path, other):
    make_state(seed=1)[-1].save()
    with pytest.raises(ConfigurationError, match="is of another model or optimizer") as error:
        make_state(seed=1, **other)[-1].restore()
    assert str(tmp_path) in str(error.value)
    assert "--workdir" in str(error.value)
