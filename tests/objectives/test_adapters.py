"""Plain functions and Keras losses as terms: how arguments find their keys, and every loss that Keras has."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, Context, FunctionTerm, KerasLoss, MeanSquaredError
from objectives.adapters import _OF_ELEMENTS
from objectives.readings import recording

RNG = np.random.default_rng(0)
ONE_HOT = np.eye(3, dtype=np.float32)[[0, 2, 1, 1]]
PROBABILITIES = RNG.dirichlet(np.ones(3), size=4).astype(np.float32)
LABELS = np.int32([0, 2, 1, 1])
EMBEDDINGS = (PROBABILITIES / np.linalg.norm(PROBABILITIES, axis=-1, keepdims=True)).astype(np.float32)
MASKS = RNG.integers(2, size=(2, 3, 3, 1)).astype(np.float32)
CHANCES = RNG.uniform(0.1, 0.9, size=(2, 3, 3, 1)).astype(np.float32)

EXAMPLES = (1, 2, 3)  # the axes of one example of MASKS
ORDINARY = [
    keras.losses.BinaryCrossentropy(),
    keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
    keras.losses.BinaryFocalCrossentropy(),
    keras.losses.CategoricalCrossentropy(),
    keras.losses.CategoricalFocalCrossentropy(),
    keras.losses.CategoricalHinge(),
    keras.losses.CosineSimilarity(),
    keras.losses.Hinge(),
    keras.losses.Huber(delta=0.5),
    keras.losses.KLDivergence(),
    keras.losses.LogCosh(),
    keras.losses.MeanAbsoluteError(),
    keras.losses.MeanAbsolutePercentageError(),
    keras.losses.MeanSquaredError(),
    keras.losses.MeanSquaredError(reduction="mean"),
    keras.losses.MeanSquaredError(reduction=None),
    keras.losses.MeanSquaredLogarithmicError(),
    keras.losses.Poisson(),
    keras.losses.SquaredHinge(),
]
LOSSES = [
    *((loss, ONE_HOT, PROBABILITIES) for loss in ORDINARY),
    (keras.losses.SparseCategoricalCrossentropy(), LABELS, PROBABILITIES),
    (keras.losses.SparseCategoricalCrossentropy(from_logits=True), LABELS[:, None], PROBABILITIES),
    (keras.losses.CategoricalGeneralizedCrossEntropy(), LABELS, PROBABILITIES),
    (keras.losses.CTC(), np.int32([[1, 2], [3, 3]]), RNG.normal(size=(2, 6, 5)).astype(np.float32)),
    (keras.losses.Dice(axis=EXAMPLES), MASKS, CHANCES),
    (keras.losses.Tversky(alpha=0.3, beta=0.7, axis=EXAMPLES), MASKS, CHANCES),
]
MIX_THE_BATCH = [keras.losses.Dice(), keras.losses.Tversky()]
AVERAGES_BY_ITSELF = keras.losses.Circle()  # over the examples whose value is above 0; it compares examples, too

every_loss = pytest.mark.parametrize(
    ("loss", "y_true", "y_pred"), LOSSES, ids=[type(loss).__name__ for loss, *_ in LOSSES]
)


def distance(y_true, y_pred, scale=1.0):
    return scale * tf.abs(y_true - y_pred)


@pytest.fixture
def context():
    return Context(
        inputs={"scale": tf.constant([3.0])},
        targets=tf.constant([[1.0, 2.0]]),
        outputs=tf.constant([[2.0, 4.0]]),
        activations={"hidden": tf.constant([[5.0]])},
        sample_weight=tf.constant([7.0]),
        step=tf.constant(10),
    )


@pytest.mark.parametrize(
    ("fn", "keys_of", "value"),
    [
        (distance, {}, 1.5),
        (distance, {"scale": "inputs.scale"}, 4.5),
        (distance, {"y_true": "activations.hidden"}, 2),
        (keras.losses.mean_squared_error, {}, 2.5),
        (lambda outputs, targets: outputs * targets, {}, 5),
        (lambda y_pred, step: y_pred * tf.cast(step, tf.float32), {}, 30),
        (lambda y_pred, sample_weight: y_pred * sample_weight[:, None], {}, 21),
        (lambda hidden: hidden, {"hidden": "activations.hidden"}, 5),
    ],
)
def test_the_arguments_of_a_function_find_their_keys(fn, keys_of, value, context):
    assert float(FunctionTerm(fn=fn, keys_of=keys_of).mean(context).result()) == value


@pytest.mark.parametrize(
    ("fn", "keys_of", "answer"),
    [
        (lambda y_ture, y_pred: y_pred, {}, "argument 'y_ture' of the function <lambda>; did you mean 'y_true'\\?"),
        (distance, {"scael": "inputs.scale"}, "keys_of names 'scael'.*distance has no .*; did you mean 'scale'\\?"),
        (lambda y_pred, hidden: hidden, {}, "no key is known for the argument 'hidden'.* or name its key in keys_of"),
        (distance, {"scale": "input.scale"}, "did you mean 'inputs'?"),
        ("distance", {}, "FunctionTerm.fn is 'distance'; expected a function"),
    ],
)
def test_a_function_that_does_not_fit_its_keys_is_refused(fn, keys_of, answer):
    with pytest.raises(ConfigurationError, match=answer):
        FunctionTerm(fn=fn, keys_of=keys_of)


@pytest.mark.parametrize(
    "fn", [lambda y_true, y_pred: tf.nn.relu(y_pred - y_true), lambda y_pred, y_true: tf.nn.relu(y_pred - y_true)]
)
def test_a_function_may_take_its_arguments_in_any_order(fn):
    tensors = {"y_true": np.array([[1.0], [5.0]], np.float32), "y_pred": np.array([[4.0], [4.0]], np.float32)}
    assert float(FunctionTerm(fn=fn)(**tensors)) == 1.5


def test_every_loss_of_keras_is_tried():
    of_keras = {
        loss
        for loss in vars(keras.losses).values()
        if isinstance(loss, type) and issubclass(loss, keras.losses.Loss) and loss is not keras.losses.Loss
    }
    tried = [loss for loss, *_ in LOSSES] + MIX_THE_BATCH + [AVERAGES_BY_ITSELF]
    assert {type(loss) for loss in tried} == of_keras


@every_loss
def test_a_keras_loss_keeps_its_mean_and_itself(loss, y_true, y_pred):
    reduction = loss.reduction
    total, count = KerasLoss(loss=loss).mean(Context(targets=y_true, outputs=y_pred))
    assert loss.reduction == reduction
    assert count == len(y_pred)
    np.testing.assert_allclose(total / count, np.mean(loss(y_true, y_pred)), rtol=1e-6)


@every_loss
def test_a_keras_loss_keeps_the_meaning_of_its_sample_weights(loss, y_true, y_pred):
    factor = np.float32(np.arange(len(y_pred)) + 0.5)
    term = KerasLoss(loss=loss, sample_weight="sample_weight")
    mean = term.mean(Context(targets=y_true, outputs=y_pred, sample_weight=factor))
    np.testing.assert_allclose(mean.result(), np.mean(loss(y_true, y_pred, factor)), rtol=1e-6)


@pytest.mark.parametrize("loss", MIX_THE_BATCH, ids=lambda loss: loss.name)
def test_a_keras_loss_that_mixes_the_batch_is_refused(loss):
    with pytest.raises(ConfigurationError, match="a scalar; expected unreduced values"):
        KerasLoss(loss=loss).mean(Context(targets=MASKS, outputs=CHANCES))


def test_the_loss_that_averages_by_itself_is_averaged_as_it_does():
    values = keras.losses.Circle(reduction="none")(LABELS, EMBEDDINGS)
    assert np.any(values == 0)
    value = KerasLoss(loss=AVERAGES_BY_ITSELF).mean(Context(targets=LABELS, outputs=EMBEDDINGS)).result()
    np.testing.assert_allclose(value, AVERAGES_BY_ITSELF(LABELS, EMBEDDINGS), rtol=1e-6)


# Masks of Keras

STEPS = RNG.normal(size=(4, 5, 3)).astype(np.float32)
HIDES = np.arange(5) < np.array([5, 3, 1, 0])[:, None]


def masked(tensor, mask=HIDES):
    tensor = tf.identity(tensor)
    tensor._keras_mask = tf.constant(mask)
    return tensor


@pytest.mark.parametrize("factor", [None, np.float32(RNG.uniform(0.5, 3, size=(4, 5)))])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_what_a_mask_of_keras_hides_does_not_count_as_in_keras(compile_as, factor, dtype):
    loss, targets = keras.losses.MeanSquaredError(), np.ones([4, 5, 3], np.float32)
    term = KerasLoss(loss=loss, sample_weight=None if factor is None else "sample_weight")

    @compile_as
    def run(outputs):
        context = Context(targets=targets, outputs=masked(outputs), sample_weight=factor)
        return term.mean(context).result(), loss(targets, masked(outputs), factor)

    ours, of_keras = run(tf.constant(STEPS.astype(dtype)))
    np.testing.assert_allclose(ours, of_keras, rtol=1e-6)


def test_masks_of_keras_of_the_term_and_of_padding_hide_what_either_does():
    own, valid = np.float32(RNG.random((4, 5)) < 0.6), np.float32([1, 1, 0, 1])
    context = Context(inputs=own, targets=np.zeros_like(STEPS), outputs=masked(STEPS), valid=tf.constant(valid))
    mean = KerasLoss(loss=keras.losses.MeanSquaredError(), mask="inputs").mean(context)
    counted = HIDES * own * valid[:, None]
    np.testing.assert_allclose(mean.result(), np.sum(counted * np.mean(STEPS**2, -1)) / counted.sum(), rtol=1e-6)


def test_what_a_mask_of_keras_hides_may_be_nan_and_any_label():
    labels = np.where(HIDES, 1, 255)
    outputs = np.where(HIDES[..., None], STEPS, np.nan)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    mean = KerasLoss(loss=loss).mean(Context(targets=labels, outputs=masked(outputs)))
    np.testing.assert_allclose(mean.result(), np.mean(loss.call(labels[HIDES], STEPS[HIDES])), rtol=1e-6)


def test_a_loss_that_looks_for_the_mask_of_its_reads_finds_it_behind_a_mask_of_the_term():
    class Own(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.ops.mean((y_true - y_pred) ** 2, axis=-1) * tf.cast(y_pred._keras_mask, tf.float32) * 2

    context = Context(targets=np.zeros_like(STEPS), outputs=masked(STEPS), valid=tf.constant([1.0, 1, 1, 0]))
    mean = KerasLoss(loss=Own()).mean(context).result()
    shown = HIDES * np.array([1, 1, 1, 0])[:, None]
    np.testing.assert_allclose(mean, 2 * np.sum(shown * np.mean(STEPS**2, -1)) / shown.sum(), rtol=1e-6)


def test_a_loss_that_compares_steps_with_one_another_is_that_of_keras_behind_its_mask(compile_as):
    class Centred(keras.losses.Loss):
        def call(self, y_true, y_pred):
            error = y_true - y_pred
            return keras.ops.mean((error - keras.ops.mean(error, axis=1, keepdims=True)) ** 2, axis=-1)

    @compile_as
    def run(outputs, targets):
        ours = KerasLoss(loss=Centred()).mean(Context(targets=targets, outputs=masked(outputs))).result()
        return ours, Centred()(targets, masked(outputs))

    np.testing.assert_allclose(*run(tf.constant(STEPS), tf.constant(STEPS[::-1].copy())), rtol=1e-6)


@pytest.mark.parametrize("ignored", [-1, 255])
def test_a_class_that_the_loss_ignores_does_not_count(ignored):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=ignored)
    labels = np.where(HIDES, 2, ignored)
    mean = KerasLoss(loss=loss).mean(Context(targets=labels, outputs=STEPS))
    np.testing.assert_allclose(mean.result(), loss(labels, STEPS), rtol=1e-6)


def test_other_terms_know_their_own_mask_only():
    mean = MeanSquaredError().mean(Context(targets=np.zeros_like(STEPS), outputs=masked(STEPS)))
    assert mean.count == STEPS.size


# Labels

SPARSE = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
WITH_LABELS = {
    "keras loss": (KerasLoss(loss=SPARSE), (4,), (4, 3)),
    "keras loss of columns": (KerasLoss(loss=SPARSE), (4, 1), (4, 3)),
    "keras loss that spreads labels": (KerasLoss(loss=keras.losses.CategoricalGeneralizedCrossEntropy()), (4,), (4, 3)),
    "function of keras": (
        FunctionTerm(fn=functools.partial(keras.losses.sparse_categorical_crossentropy, from_logits=True)),
        (4, 2),
        (4, 2, 3),
    ),
}


@pytest.mark.parametrize("label", [99, -1])
@pytest.mark.parametrize(("term", "labels", "logits"), WITH_LABELS.values(), ids=WITH_LABELS.keys())
def test_a_label_out_of_range_is_nan_for_its_example_alone(compile_as, term, labels, logits, label):
    y_true, y_pred = np.zeros(labels, np.uint8 if label > 0 else np.int8), np.full(logits, 0.5, np.float32)
    values = compile_as(lambda a, b: term.values(y_true=a, y_pred=b))
    sound = values(tf.constant(y_true), tf.constant(y_pred))
    y_true[2] = label
    found = values(tf.constant(y_true), tf.constant(y_pred))
    assert np.isnan(found[2]).all()
    np.testing.assert_array_equal(np.delete(found, 2, axis=0), np.delete(sound, 2, axis=0))


# Probabilities


@pytest.mark.parametrize("hides", ["targets.shown", None])
def test_what_is_masked_is_not_blamed_for_being_out_of_range(hides):
    targets = {
        "y": np.float32([[[0], [1]], [[-1], [1]], [[1], [-1]]]),
        "shown": tf.constant([[1.0, 1], [0, 1], [1, 1]]),
    }
    term = KerasLoss(loss=keras.losses.BinaryCrossentropy(), y_true="targets.y", mask=hides)
    with recording() as readings:
        term.each(Context(targets=targets, outputs=np.full([3, 2, 1], 0.5, np.float32)))
    blamed = [np.argwhere(reading.outside).tolist() for reading in readings if "y_true" in reading.what]
    assert blamed == [[[2, 1, 0]] if hides else [[1, 0, 0], [2, 1, 0]]]


OF_PROBABILITIES = {
    "binary": (keras.losses.BinaryCrossentropy(), MASKS[:2, :, 0, 0], CHANCES[:2, :, 0, 0]),
    "binary, focal": (keras.losses.BinaryFocalCrossentropy(), MASKS, CHANCES),
    "classes": (keras.losses.CategoricalCrossentropy(), ONE_HOT, PROBABILITIES),
    "classes, focal": (keras.losses.CategoricalFocalCrossentropy(), ONE_HOT, PROBABILITIES),
    "classes along another axis": (
        keras.losses.CategoricalCrossentropy(axis=1),
        np.moveaxis(np.stack([ONE_HOT, ONE_HOT]), -1, 1),
        np.moveaxis(np.stack([PROBABILITIES, PROBABILITIES]), -1, 1),
    ),
    "labels": (keras.losses.SparseCategoricalCrossentropy(), LABELS, PROBABILITIES),
}


@pytest.mark.parametrize(("loss", "y_true", "y_pred"), OF_PROBABILITIES.values(), ids=OF_PROBABILITIES.keys())
def test_a_logit_for_a_loss_of_probabilities_is_nan_for_its_value_alone(compile_as, loss, y_true, y_pred):
    values = compile_as(lambda a, b: KerasLoss(loss=loss).values(a, b))
    sound = values(tf.constant(y_true), tf.constant(y_pred)).numpy()
    np.testing.assert_allclose(sound, loss.call(y_true, y_pred), rtol=1e-6)
    logits = y_pred.copy()
    logits[1].flat[0] = -3.0
    found = values(tf.constant(y_true), tf.constant(logits)).numpy()
    first = (1, *(0,) * (sound.ndim - 1))
    assert np.isnan(found[first])
    assert np.isnan(found).sum() == 1
    np.testing.assert_array_equal(found[~np.isnan(found)], sound[~np.isnan(found)])


def test_the_logits_that_keras_finds_behind_a_softmax_are_still_found(compile_as):
    def loss_of(logits):
        return KerasLoss(loss=keras.losses.SparseCategoricalCrossentropy()).values(LABELS[:1], tf.nn.softmax(logits))

    # From the probability, which is 0 in float32, it would be 16.1, the logarithm of Keras's epsilon.
    expected = 16.118095 if compile_as(tf.executing_eagerly)() else 1000.0
    np.testing.assert_allclose(compile_as(loss_of)(tf.constant([[0.0, 1000.0, 0.0]])), [expected])


SATURATED = 40 * RNG.normal(size=(6, 4)).astype(np.float32)
OF_LOGITS = {
    "labels": (keras.losses.SparseCategoricalCrossentropy(), keras.ops.softmax, np.int32([0, 1, 2, 3, 0, 1])),
    "classes": (keras.losses.CategoricalCrossentropy(), keras.ops.softmax, np.eye(6, 4, dtype=np.float32)),
    "binary": (keras.losses.BinaryCrossentropy(), keras.ops.sigmoid, np.eye(6, 4, dtype=np.float32)),
    "labels, of TensorFlow": (
        keras.losses.SparseCategoricalCrossentropy(),
        tf.nn.softmax,
        np.int32([0, 1, 2, 3, 0, 1]),
    ),
    "binary, of TensorFlow": (keras.losses.BinaryCrossentropy(), tf.nn.sigmoid, np.eye(6, 4, dtype=np.float32)),
}


@pytest.mark.parametrize(
    ("adapter", "hides"), [("loss", "mask"), ("loss", "valid"), ("loss", "keras"), ("function", "mask")]
)
@pytest.mark.parametrize(("loss", "activation", "targets"), OF_LOGITS.values(), ids=OF_LOGITS.keys())
def test_what_is_masked_takes_no_logits_from_what_counts(compile_as, loss, activation, targets, adapter, hides):
    shown = np.float32([1, 1, 0, 1, 1, 0])
    role = {"mask": "targets.shown"} if hides == "mask" else {}
    made = {"loss": KerasLoss(loss=loss, y_true="targets.y", **role)}
    made["function"] = FunctionTerm(fn=loss.fn, keys_of={"y_true": "targets.y"}, **role)

    @compile_as
    def run(logits):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(logits)
            outputs = activation(logits)
            of_keras = loss(targets[shown > 0], activation(tf.boolean_mask(logits, shown > 0)))
            if hides == "keras":
                outputs._keras_mask = tf.constant(shown > 0)
            context = Context(
                targets={"y": targets, "shown": tf.constant(shown)},
                outputs=outputs,
                valid=tf.constant(shown) if hides == "valid" else None,
            )
            ours = made[adapter].mean(context).result()
        return (ours, tape.gradient(ours, logits)), (of_keras, tape.gradient(of_keras, logits))

    (ours, slope), (of_keras, slope_of_keras) = run(tf.constant(SATURATED))
    np.testing.assert_allclose(ours, of_keras, rtol=1e-5)
    np.testing.assert_allclose(slope, slope_of_keras, atol=1e-6)


def test_proportions_of_classes_may_add_up_to_anything():
    loss = keras.losses.CategoricalCrossentropy()
    found = KerasLoss(loss=loss)(y_true=ONE_HOT, y_pred=3 * PROBABILITIES)
    np.testing.assert_allclose(found, loss(ONE_HOT, PROBABILITIES), rtol=1e-6)


def test_a_loss_of_ones_own_keeps_its_arguments():
    class Offset(keras.losses.Loss):
        def __init__(self, offset):
            super().__init__()
            self.offset = offset

        def call(self, y_true, y_pred):
            return tf.reduce_mean(tf.abs(y_pred - y_true - self.offset), axis=-1)

    assert float(KerasLoss(loss=Offset(2.0))(y_true=[[0.0, 0.0]], y_pred=[[2.0, 5.0]])) == 1.5


@pytest.mark.parametrize("name", ["huber", "Huber", "mse", "MSE", "MeanSquaredError", "bce"])
def test_a_loss_by_its_name_is_that_of_keras_with_its_defaults(name):
    y_true, y_pred = np.array([[0.0, 1.0]], np.float32), np.array([[0.2, 0.9]], np.float32)
    expected = keras.losses.get(name)(y_true, y_pred)
    assert float(KerasLoss(loss=name)(y_true=y_true, y_pred=y_pred)) == pytest.approx(float(tf.reduce_mean(expected)))


@pytest.mark.parametrize("loss", [None, keras.losses.Huber, keras.losses.mean_squared_error])
def test_what_is_no_instance_of_a_keras_loss_is_refused(loss):
    with pytest.raises(ConfigurationError, match="expected an instance of keras.losses.Loss|write @keras.losses.Huber"):
        KerasLoss(loss=loss)


class Scaled(keras.losses.MeanSquaredError):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return 10 * super().__call__(y_true, y_pred, sample_weight)


class CalledOnly(keras.losses.Loss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return tf.reduce_mean(tf.abs(y_true - y_pred))


class Empty(keras.losses.Loss):
    pass


@pytest.mark.parametrize(
    ("loss", "found"),
    [(Scaled, "overrides `__call__`"), (CalledOnly, "overrides `__call__`"), (Empty, "defines no `call`")],
)
def test_a_keras_loss_that_is_not_what_its_call_returns_is_refused(loss, found):
    with pytest.raises(ConfigurationError, match=f"{loss.__name__} {found}.*; expected a loss that defines `call"):
        KerasLoss(loss=loss())


def test_a_keras_loss_that_sums_is_refused():
    with pytest.raises(ConfigurationError, match="'sum', and terms are means"):
        KerasLoss(loss=keras.losses.Huber(reduction="sum"))


def test_a_keras_loss_that_divides_by_its_sample_weights_is_refused_and_a_mask_does_it():
    loss = keras.losses.MeanSquaredError(reduction="mean_with_sample_weight")
    factor = np.float32([0.0, 1.0, 2.0, 4.0])
    with pytest.raises(ConfigurationError, match="'mean_with_sample_weight'.* read the weights as the term's mask"):
        KerasLoss(loss=loss, sample_weight="sample_weight")
    term = KerasLoss(loss=loss, mask="sample_weight")
    mean = term.mean(Context(targets=ONE_HOT, outputs=PROBABILITIES, sample_weight=factor / factor.max()))
    np.testing.assert_allclose(mean.result(), loss(ONE_HOT, PROBABILITIES, factor), rtol=1e-6)


@pytest.mark.parametrize("shapes", [((4,), (4, 1)), ((4, 1), (4,)), ((4, 3, 1), (4, 3))], ids=str)
@pytest.mark.parametrize(
    "loss", [keras.losses.MeanSquaredError(), keras.losses.BinaryCrossentropy(), keras.losses.Huber(delta=0.2)]
)
def test_a_last_axis_of_one_is_squeezed_or_added_as_by_keras(compile_as, loss, shapes):
    y_true, y_pred = (RNG.uniform(0.1, 0.9, shape).astype(np.float32) for shape in shapes)

    def value(targets, outputs):
        return KerasLoss(loss=loss).mean(Context(targets=targets, outputs=outputs)).result()

    np.testing.assert_allclose(compile_as(value)(y_true, y_pred), loss(y_true, y_pred), rtol=1e-6)


OF_ELEMENTS = [loss for loss in ORDINARY if getattr(loss, "fn", None) in _OF_ELEMENTS]


@pytest.mark.parametrize("loss", OF_ELEMENTS, ids=lambda loss: loss.name)
def test_targets_and_outputs_without_an_axis_are_a_value_for_each_example_with_the_mean_of_keras(loss):
    y_true, y_pred = np.float32([0, 1, 1, 0]), RNG.uniform(0.1, 0.9, 4).astype(np.float32)
    context = Context(targets=y_true, outputs=tf.constant(y_pred), sample_weight=np.float32([1, 0, 1, 0]))
    np.testing.assert_allclose(KerasLoss(loss=loss).mean(context).result(), loss(y_true, y_pred), rtol=1e-5)
    masked = KerasLoss(loss=loss, mask="sample_weight").mean(context)
    assert float(masked.count) == 2
    np.testing.assert_allclose(masked.result(), loss(y_true[::2], y_pred[::2]), rtol=1e-5)


@pytest.mark.parametrize("activation", [tf.nn.sigmoid, keras.ops.sigmoid])
def test_the_logits_behind_outputs_without_an_axis_are_found_as_by_keras(compile_as, activation):
    logits, loss = np.float32([-90.0, 3.0, 80.0]), keras.losses.BinaryCrossentropy()

    def value(logits):
        context = Context(targets=tf.constant([1.0, 0.0, 0.0]), outputs=activation(logits))
        return KerasLoss(loss=loss).mean(context).result()

    expected = compile_as(lambda logits: loss(tf.constant([1.0, 0.0, 0.0]), activation(logits)))(logits)
    np.testing.assert_allclose(compile_as(value)(logits), expected, rtol=1e-6)


@pytest.mark.parametrize("loss", [keras.losses.CosineSimilarity(), keras.losses.KLDivergence()], ids=lambda x: x.name)
def test_a_loss_whose_last_axis_is_one_of_classes_or_a_vector_is_refused_without_one(loss):
    with pytest.raises(ConfigurationError, match="a scalar; expected unreduced values"):
        KerasLoss(loss=loss).mean(Context(targets=tf.ones([4]), outputs=tf.ones([4])))


def test_no_other_term_is_given_an_axis():
    class Own(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return (y_true - y_pred) ** 2

    context = Context(targets=np.zeros(4, np.float32), outputs=np.zeros([4, 1], np.float32))
    for term in (KerasLoss(loss=Own()), FunctionTerm(fn=distance), MeanSquaredError()):
        with pytest.raises(ConfigurationError, match="expected the same shape"):
            term.mean(context)
