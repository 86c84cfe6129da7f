"""What the README says of `loss_weights` and callbacks is what Keras does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

pytestmark = pytest.mark.slow


@pytest.fixture
def examples():
    x = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    return x, x.sum(axis=1, keepdims=True)


@pytest.fixture
def compiled():
    """Makes a compiled model of some layers whose weights stay as they are."""

    def make(*layers, shape=(3,), rate=0.0, **settings):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input(shape), *layers])
        model.compile(keras.optimizers.SGD(rate), **settings)
        return model

    return make


def zeros(**settings):
    return keras.layers.Dense(1, kernel_initializer="zeros", **settings)


def test_of_two_losses_for_one_output_the_second_is_dropped_and_both_are_logged_as_0(compiled, examples):
    model = compiled(zeros(), loss=["mse", "mae"], loss_weights=[1.0, 0.5])
    x, y = examples
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    assert logs == {"loss": pytest.approx(np.square(y).mean()), "mse_loss": 0.0, "mae_loss": 0.0}


def test_a_regulariser_is_in_the_loss_and_has_no_name(compiled, examples):
    layer = keras.layers.Dense(1, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.1))
    logs = compiled(layer, loss="mse").evaluate(*examples, verbose=0, return_dict=True)
    assert logs == {"loss": pytest.approx(0.3, abs=1e-6)}


def test_a_weight_that_a_callback_sets_is_not_used_and_a_variable_is(compiled, examples):
    variable = tf.Variable(1.0)
    model, other = (
        compiled(zeros(), loss="mse", loss_weights=[1.0]),
        compiled(zeros(), loss="mse", loss_weights=[variable]),
    )

    class Doubles(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.loss_weights = [2.0**epoch]
            variable.assign(2.0**epoch)

    first, second = (one.fit(*examples, epochs=2, verbose=0, callbacks=[Doubles()]).history for one in (model, other))
    assert first["loss"][1] == pytest.approx(first["loss"][0])
    assert second["loss"][1] == pytest.approx(2 * second["loss"][0])
    assert [*second] == ["loss"]


def test_where_a_mask_leaves_a_part_batches_count_by_their_examples(compiled):
    model = compiled(keras.layers.Masking(), zeros(), shape=(4, 1), loss="mse")
    x, y = np.ones((4, 4, 1)), np.zeros((4, 4, 1))
    x[:2, 1:] = 0  # 2 of 8 count in the first batch, all 8 in the second
    y[:2] = 1
    assert (np.square(y) * (x != 0)).sum() / (x != 0).sum() == pytest.approx(0.2)
    assert model.evaluate(x, y, batch_size=2, verbose=0) == pytest.approx(0.5)


def test_a_run_restored_after_an_epoch_learns_something_else(compiled, examples, tmp_path):
    class Killed(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def learned(folder, *callbacks):
        model = compiled(keras.layers.Dense(8), keras.layers.Dropout(0.5), keras.layers.Dense(1), rate=0.01, loss="mse")
        kept = keras.callbacks.BackupAndRestore(tmp_path / folder)
        model.fit(*examples, epochs=4, batch_size=4, verbose=0, callbacks=[kept, *callbacks])
        return model.get_weights()[0]

    undisturbed = learned("one")
    np.testing.assert_array_equal(learned("two"), undisturbed)
    with pytest.raises(KeyboardInterrupt):
        learned("three", Killed())
    assert np.abs(learned("three") - undisturbed).max() > 1e-4


def test_two_replicas_do_not_take_a_batch_of_three(examples):
    x, y = examples
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = keras.Sequential([keras.Input([3]), zeros()])
        model.compile("sgd", loss="mse")
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have the same size"):
        model.fit(x[:3], y[:3], batch_size=3, verbose=0)
