"""The tap: it finds layers in every kind of model, returns what they put out, and leaves the model as it was."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from objectives import ConfigurationError, Context, Objective, WeightDecay
from trainer.steps.tap import Tap, layer_paths

X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


def functional():
    inputs = keras.Input([3])
    hidden = layers.Dense(4, activation="relu", name="hidden")(inputs)
    return keras.Model(inputs, layers.Dense(1, name="head")(hidden))


def sequential():
    return keras.Sequential([keras.Input([3]), layers.Dense(4, activation="relu", name="hidden"), layers.Dense(1)])


def nested():
    inputs = keras.Input([3])
    encoder = keras.Sequential([keras.Input([3]), layers.Dense(4, activation="relu", name="hidden")], name="encoder")
    core = keras.Model(inputs, encoder(inputs), name="core")
    return keras.Model(inputs, layers.Dense(1)(core(inputs)))


class Subclassed(keras.Model):
    """A model whose layers are attributes, one of them itself a model."""

    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([layers.Dense(4, activation="relu", name="hidden")], name="encoder")
        self.head = layers.Dense(1, name="head")

    def call(self, inputs):
        return self.head(self.encoder(inputs))


def subclassed():
    model = Subclassed()
    model(X)
    return model


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "graph"])
@pytest.mark.parametrize(
    ("make", "path"),
    [(functional, "hidden"), (sequential, "hidden"), (nested, "core/encoder/hidden"), (subclassed, "encoder/hidden")],
)
def test_a_layer_of_any_kind_of_model_is_heard(make, path, compiled):
    model = make()
    plain = model(X).numpy()
    layer = dict(layer_paths(model))[path]
    tap = Tap(model, [f"activations.{path}", "outputs", "targets"])
    call = tf.function(tap, autograph=False) if compiled else tap
    outputs, activations, *_ = call(tf.constant(X), training=False)
    assert list(activations) == [path]
    np.testing.assert_allclose(outputs, plain, atol=1e-6)
    expected = np.maximum(X @ layer.kernel.numpy() + layer.bias.numpy(), 0)
    np.testing.assert_allclose(activations[path], expected, atol=1e-6)


def test_a_submodel_is_heard_whole():
    model = nested()
    _, activations, *_ = Tap(model, ["activations.core", "activations.core/encoder/hidden"])(X, training=False)
    np.testing.assert_array_equal(activations["core"], activations["core/encoder/hidden"])


def test_a_call_of_a_layer_in_a_model_that_is_called_twice_is_named_behind_the_layer():
    first, second = keras.Input([4]), keras.Input([4])
    inner = keras.Sequential([keras.Input([4]), keras.layers.Dense(3, name="e1")], name="enc")
    model = keras.Model([first, second], keras.layers.Add()([inner(first), inner(second)]))
    with pytest.raises(ConfigurationError, match="number of a call comes last; did you mean 'activations.enc/e1.1'"):
        Tap(model, ["activations.enc.1/e1"])
    batches = [tf.ones([2, 4]), tf.zeros([2, 4])]
    made = Tap(model, ["activations.enc/e1.1"])(batches, training=False)
    np.testing.assert_array_equal(made.activations["enc/e1"][1], inner(batches[1]))


def test_a_layer_called_twice_gives_both_outputs_in_order():
    inputs = keras.Input([3])
    shared = layers.Dense(3, name="shared")
    once = shared(inputs)
    model = keras.Model(inputs, shared(once))
    outputs, activations, *_ = Tap(model, ["activations.shared.1"])(X, training=False)
    first, second = activations["shared"]
    np.testing.assert_allclose(first, X @ shared.kernel.numpy(), atol=1e-6)
    np.testing.assert_array_equal(second, outputs)


def test_an_operation_that_is_no_layer_is_heard():
    inputs = keras.Input([3])
    model = keras.Model(inputs, layers.Dense(1)(inputs + 2.0 * inputs))
    _, activations, *_ = Tap(model, ["activations.add"])(X, training=False)
    np.testing.assert_allclose(activations["add"], 3.0 * X, rtol=1e-6)


def test_the_training_flag_reaches_the_layers():
    model = keras.Sequential([keras.Input([3]), layers.Dropout(0.5, name="drop")])
    tap = Tap(model, ["activations.drop"])
    np.testing.assert_array_equal(tap(X, training=False).activations["drop"], X)
    assert (tap(X, training=True).activations["drop"].numpy() == 0).any()


def test_weights_are_found_by_their_path():
    model = nested()
    tap = Tap(model, ["weights.encoder/hidden/kernel", "activations.core"])
    assert list(tap.weights) == ["encoder/hidden/kernel"]
    assert tap.weights["encoder/hidden/kernel"] is dict(layer_paths(model))["core/encoder/hidden"].kernel


def test_everything_unknown_is_named_at_once_with_the_nearest():
    keys = ["activations.core/encoder/hiden", "weights.encoder/hidden/kernal", "activations.core"]
    with pytest.raises(ConfigurationError) as error:
        Tap(nested(), keys)
    assert len(error.value.messages) == 2
    layer, weight = error.value.messages
    assert "'activations.core/encoder/hiden': did you mean 'activations.core/encoder/hidden'?" in layer
    assert "did you mean 'weights.encoder/hidden/kernel'?" in weight


def test_a_layer_that_is_never_called_is_named():
    model = Subclassed()
    model.spare = layers.Dense(2, name="spare")
    model(X)
    with pytest.raises(ConfigurationError, match="'activations.spare': the model has this layer but did not call it"):
        Tap(model, ["activations.spare"])(X, training=False)


def test_a_cell_that_a_recurrent_layer_calls_in_its_loop_is_refused_and_left_out_by_a_star():
    model = keras.Sequential([keras.Input([5, 3]), layers.LSTM(4, name="lstm")])
    x = np.ones([2, 5, 3], np.float32)
    call = tf.function(Tap(model, ["activations.lstm/lstm_cell"]), autograph=False)
    with pytest.raises(ConfigurationError, match="calls this layer in a loop, .* expected the layer around it"):
        call(x, training=True)
    _, activations, *_ = tf.function(Tap(model, ["activations.lstm*"]), autograph=False)(x, training=True)
    assert list(activations) == ["lstm"]


def test_a_star_leaves_out_a_layer_that_is_never_called():
    model = Subclassed()
    model.spare = layers.Dense(2, name="spare")
    model(X)
    assert "spare" not in Tap(model, ["activations.*"])(X, training=False)[1]


class Twins(keras.Model):
    """A model of two parts whose layers bear the same names."""

    def __init__(self):
        super().__init__()
        self.parts = [keras.Sequential([layers.Dense(n, name="dense")], name="part") for n in (4, 2)]

    def call(self, inputs):
        return self.parts[1](self.parts[0](inputs))


def twins():
    model = Twins()
    model(X)
    return model


def test_a_star_takes_all_variables_and_layers_of_one_path():
    model = twins()
    kernels = [variable.numpy() for variable in model.trainable_variables if variable.path.endswith("kernel")]
    tap = Tap(model, ["weights.*kernel", "activations.part/*"])
    outputs, activations, *_ = tap(X, training=False)
    context = Context(weights=tap.weights, activations=activations, outputs=outputs)
    objective = Objective(decay=WeightDecay())
    means = objective.means(context, objective.parts(context)).values()
    decay = sum(float(mean.total) for mean in means)
    np.testing.assert_allclose(decay, sum(np.sum(np.square(kernel)) for kernel in kernels), rtol=1e-6)
    first, second = activations["part/dense"]
    np.testing.assert_allclose(first, X @ kernels[0], atol=1e-6)
    np.testing.assert_array_equal(second, outputs)


def test_one_of_several_is_named_by_its_number():
    model = twins()
    path = model.trainable_variables[0].path
    assert model.trainable_variables[2].path == path
    tap = Tap(model, [f"weights.{path}.1", "activations.part/dense.0"])
    _, activations, *_ = tap(X, training=False)
    context = Context(weights=tap.weights, activations=activations)
    assert context[f"weights.{path}.1"] is model.trainable_variables[2]
    assert context["activations.part/dense.0"].shape == (5, 4)


def test_a_key_of_one_path_that_several_have_is_refused():
    model = twins()
    path = model.trainable_variables[0].path
    with pytest.raises(ConfigurationError) as error:
        Tap(model, [f"weights.{path}", "activations.part/dense"])
    layer, weight = error.value.messages
    assert "is the path of 2 layers; expected one" in layer
    assert "is the path of 2 variables, (3, 4), (4, 2); expected one: a name of its own for each layer, or " in weight
    assert f"'weights.{path}.0' to 'weights.{path}.1'" in weight


def embedded():
    inputs = keras.Input([3])  # floats, as Keras takes tokens by default
    return keras.Model(inputs, layers.Embedding(4, 2, mask_zero=True, name="tokens")(inputs))


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "xla"])
def test_an_index_that_an_embedding_has_no_row_for_gives_nan_where_the_tap_calls_it_and_else_what_keras_gives(compiled):
    model = embedded()
    tokens = tf.constant([[0.0, 3.0, 1.0], [4.0, -1.0, 2.0]])
    plain = model(tf.maximum(tokens % 4, 0)).numpy()
    tap = Tap(model, ["activations.tokens"])
    call = tf.function(tap, jit_compile=True, autograph=False) if compiled else tap
    outputs, activations, *_ = call(tokens, training=False)
    np.testing.assert_array_equal(np.isnan(outputs).any(axis=-1), [[False, False, False], [True, True, False]])
    np.testing.assert_array_equal(outputs[0], plain[0])
    np.testing.assert_array_equal(activations["tokens"], outputs)
    assert np.isfinite(model(tokens[:1]).numpy()).all()
    assert model(tokens[:1])._keras_mask.numpy().tolist() == [[False, True, True]]


@pytest.mark.parametrize("activation", [keras.ops.softmax, tf.nn.softmax], ids=["keras", "tensorflow"])
@pytest.mark.parametrize("compiled", [False, True], ids=["graph", "xla"])
def test_a_loss_finds_the_logits_of_a_model_that_takes_integers_by_an_index(activation, compiled):
    class Looks(layers.Layer):
        def call(self, inputs):
            taken = tf.gather(tf.constant([3, 0, 2, 1]), inputs)
            return activation(100.0 * tf.one_hot(taken, 4))

    inputs = keras.Input([], dtype="int32")
    tap = Tap(keras.Model(inputs, Looks()(inputs)), ["outputs"])

    @tf.function(jit_compile=compiled, autograph=False)
    def values(indices):
        outputs, *_ = tap(indices, training=False)
        return keras.losses.SparseCategoricalCrossentropy(reduction="none")(tf.constant([0, 0]), outputs)

    np.testing.assert_allclose(values(tf.constant([0, 1])), [100, 0])
    assert np.isnan(values(tf.constant([0, 7]))).all()


class AddsLoss(layers.Layer):
    """Adds a loss of its own, as Keras users do."""

    def call(self, inputs):
        self.add_loss(tf.reduce_sum(inputs))
        return inputs


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.Dense(3, kernel_regularizer="l2"),
        lambda: layers.Dense(3, activity_regularizer="l1"),
        AddsLoss,
    ],
    ids=["kernel regularizer", "activity regularizer", "add_loss"],
)
def test_losses_of_the_models_own_are_refused(layer):
    model = keras.Sequential([keras.Input([3]), keras.Sequential([layer()])])
    with pytest.raises(ConfigurationError, match="the model adds 1 loss of its own"):
        Tap(model, ["outputs"])(X, training=True)


def test_listening_twice_does_not_stack():
    model = functional()
    Tap(model, ["activations.hidden"])
    call = model.get_layer("hidden").call
    tap = Tap(model, ["activations.hidden"])
    assert model.get_layer("hidden").call == call
    assert tap(X, training=False).activations["hidden"].shape == (5, 4)


def test_two_taps_on_one_model_hear_what_they_asked_for():
    model = functional()
    first, second = Tap(model, ["activations.hidden"]), Tap(model, ["activations.head"])
    assert list(first(X, training=False).activations) == ["hidden"]
    assert list(second(X, training=False).activations) == ["head"]


def test_a_model_listened_to_works_as_before(tmp_path):
    model = functional()
    plain = model.predict(X, verbose=0)
    Tap(model, ["activations.hidden"])(X, training=True)
    np.testing.assert_allclose(model.predict(X, verbose=0), plain, atol=1e-6)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(X, verbose=0), plain, atol=1e-6)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy.predict(X, verbose=0), plain, atol=1e-6)


DERIVATIVE = "gradients.outputs/inputs"


def normalized(**settings):
    return keras.Sequential([keras.Input([3]), layers.BatchNormalization(name="norm", **settings), layers.Dense(1)])


def test_derivatives_through_statistics_of_the_batch_are_refused_in_training():
    tap = Tap(normalized(), [DERIVATIVE])
    with pytest.raises(ConfigurationError, match=f"{DERIVATIVE}.*/norm' takes statistics of the batch in training"):
        tap(tf.constant(X), training=True)
    scale = 1 / np.sqrt(1 + tap.model.get_layer("norm").epsilon)
    kernel = tap.model.layers[-1].kernel.numpy()[:, 0]
    made = tap(tf.constant(X), training=False).gradients["outputs/inputs"]
    np.testing.assert_allclose(made, np.tile(kernel * scale, [5, 1]), rtol=1e-6)


def test_derivatives_through_frozen_statistics_are_those_of_each_example():
    frozen = normalized(trainable=False)
    made = [Tap(frozen, [DERIVATIVE])(tf.constant(X), training=training).gradients for training in (True, False)]
    np.testing.assert_array_equal(made[0]["outputs/inputs"], made[1]["outputs/inputs"])


def test_a_derivative_that_may_be_meant_by_a_layer_called_inputs_is_refused():
    inputs = keras.Input([3])
    block = keras.Sequential([keras.Input([3]), layers.Dense(3, name="inputs")], name="block")
    model = keras.Model(inputs, layers.Dense(1)(block(inputs)))
    with pytest.raises(ConfigurationError, match="there is a layer of the path 'block/inputs'; expected another name"):
        Tap(model, ["gradients.outputs/activations.block/inputs"])
    Tap(model, ["gradients.outputs/activations.block", "activations.block/inputs"])
