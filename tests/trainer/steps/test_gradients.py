"""Gradients: of a shard at once or in parts, alike; and which variables no term reaches."""

import math
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import (
    ActivationPenalty,
    ConfigurationError,
    FunctionTerm,
    KerasLoss,
    MeanSquaredError,
    Objective,
    WeightDecay,
)
from trainer import ArraySource
from trainer.steps.gradients import global_norm, plain_norm


def assert_same_weights(first, second, **tolerance):
    for found, expected in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, **tolerance)


# The norm of all


@pytest.mark.parametrize(
    "shapes", [[()], [(3,)], [(5, 4), (4,)], [(3, 3, 2, 8), (8,), (700, 300), ()], [(3, 8192), (2, 4097)]]
)
@pytest.mark.parametrize("in_graph", [False, True])
def test_the_norm_is_that_of_all_elements(shapes, in_graph):
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=shape) for shape in shapes]
    expected = np.linalg.norm(np.concatenate([gradient.ravel() for gradient in gradients]))
    as_tensors = [tf.constant(gradient, tf.float32) for gradient in gradients]
    norm = float(global_norm(as_tensors, in_graph=in_graph))
    assert norm == float(plain_norm(as_tensors, in_graph=in_graph)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("shape", [(2_000_000, 2), (1_000_003, 3), (1, 4_000_001), (4_000_037,), (300_001, 1, 11)])
def test_the_norm_of_millions_of_elements_is_that_of_float64(shape, compiled):
    """All alike, as then each rounding goes the same way."""
    norm = tf.function(lambda one: plain_norm([one]), jit_compile=compiled)(tf.fill(shape, 0.3))
    assert float(norm) == pytest.approx(np.float64(np.float32(0.3)) * np.sqrt(np.prod(shape)), rel=1e-5)


@pytest.mark.parametrize("count", [2, 3])
def test_all_replicas_find_the_same_norm(replicas, count):
    gradient = np.random.default_rng(0).normal(size=(300, 70))
    strategy = replicas(count)
    tensors = [tf.constant(gradient, tf.float32), tf.ones([3])]
    run = tf.function(lambda: strategy.run(lambda: plain_norm(tensors, in_graph=True)))
    found = [float(norm) for norm in strategy.experimental_local_results(run())]
    assert found == [pytest.approx(np.sqrt(np.sum(gradient**2) + 3), rel=1e-6)] * count
    assert len({*found}) == 1


@pytest.mark.parametrize("size", [1e-37, 1e-25, 1e-19, 1e-16, 1e19, 1e22, 1e37])
@pytest.mark.parametrize("compiled", [False, True])
def test_the_norm_of_small_and_of_large_elements_is_that_of_float64(size, compiled):
    gradients = [np.float32(size) * np.float32([[1.0, -2.0], [0.5, 0.0]]), np.float32([1e-3 * min(size, 1), size])]
    expected = np.linalg.norm(np.concatenate([np.float64(gradient).ravel() for gradient in gradients]))
    norm = tf.function(lambda: global_norm([tf.constant(g) for g in gradients]), jit_compile=compiled)()
    assert float(norm) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("norm", [global_norm, plain_norm])
@pytest.mark.parametrize("in_graph", [False, True])
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("others", [0.0, 1.0, 1e30, np.nan])
def test_the_norm_is_finite_only_if_every_element_is(norm, in_graph, odd, others):
    matrix = np.full([4, 3], others, np.float32)
    matrix[2, 1] = odd
    assert not np.isfinite(norm([tf.constant(matrix), tf.ones([2])], in_graph=in_graph))


@pytest.mark.parametrize("shape", [(64, 4096), (3, 8192), (32, 100), (30_000, 7), (3, 10_001)])
def test_a_compiled_norm_stores_no_squares(shape):
    gradient = tf.zeros(shape)
    compiled = tf.function(lambda one: plain_norm([one]), jit_compile=True)
    program = compiled.experimental_get_compiler_ir(gradient)(stage="optimized_hlo")
    made = re.findall(r"= f32\[([\d,]+)\]\S* (?:fusion|multiply|copy)\(", program[program.index("ENTRY") :])
    assert made
    assert all(math.prod(map(int, sizes.split(","))) < math.prod(shape) for sizes in made)


def test_the_norm_of_zeros_is_0():
    assert float(global_norm([tf.zeros([2, 3]), tf.zeros([])])) == 0.0


# Parts


@pytest.fixture
def three_steps(make_program, dict_model, every_reading, source, replicas):
    """The numbers and the model of three steps whose batch is cut."""

    def run(count=1, parts=1, **settings):
        settings = {"objective": every_reading, "train": source, "optimizer": keras.optimizers.Adam(0.01), **settings}
        model = dict_model()
        program = make_program(model=model, strategy=replicas(count), accumulate_steps=parts, **settings)
        return program.train(first_step=0, steps=3), model

    return run


@pytest.mark.parametrize(
    ("count", "parts", "batch_size"),
    [
        pytest.param(1, 2, 7, id="uneven halves"),
        pytest.param(1, 4, 5, marks=pytest.mark.slow, id="an empty part"),
        pytest.param(2, 3, 7, marks=pytest.mark.slow, id="uneven parts of halves"),
        pytest.param(3, 2, 4, marks=pytest.mark.slow, id="an empty third"),
    ],
)
def test_parts_update_as_the_whole_batch_does(three_steps, count, parts, batch_size):
    rows, model = three_steps(count, parts, batch_size=batch_size)
    expected_rows, expected = three_steps(batch_size=batch_size)
    np.testing.assert_allclose(rows, expected_rows, atol=1e-5)
    assert_same_weights(model, expected, atol=1e-5)


@pytest.mark.slow
def test_parts_in_one_xla_program_are_those_of_the_graph(three_steps):
    rows, model = three_steps(parts=3, execution="xla_loop")
    expected_rows, expected = three_steps(parts=3, execution="graph")
    np.testing.assert_allclose(rows, expected_rows, atol=1e-5)
    assert_same_weights(model, expected, atol=1e-5)


@pytest.mark.parametrize("parts", [1, 3])
def test_a_random_layer_draws_once_a_part(make_trainer, dense_model, parts):
    dropout = keras.layers.Dropout(0.5)
    trainer = make_trainer(model=dense_model(lambda: dropout), accumulate_steps=parts, steps=1)
    trainer.train()
    assert dropout.seed_generator.state.numpy()[1] == parts


class CountsItsRuns(keras.layers.Layer):
    """Hands on what it gets, and counts how often it is run; left out where nobody needs its output."""

    runs = 0

    def call(self, inputs):
        def count(array):
            self.runs += 1
            return np.zeros_like(array)

        nothing = tf.numpy_function(count, [tf.stop_gradient(inputs)], tf.float32, stateful=False)
        return inputs + tf.ensure_shape(nothing, inputs.shape)


@pytest.mark.parametrize(
    ("mask", "runs"), [pytest.param("targets.mask", 3, marks=pytest.mark.slow), ("outputs.shown", 6)]
)
def test_counts_are_known_without_the_model_unless_a_mask_is_its_output(make_trainer, dense_model, source, mask, runs):
    counts = CountsItsRuns()
    model = dense_model(lambda: counts)
    model = keras.Model({"x": model.input}, {"y": model.output, "shown": keras.ops.sigmoid(model.output)})
    term = MeanSquaredError(y_true="targets.y", y_pred="outputs.y", mask=mask)
    weighted = ActivationPenalty(activation="activations.hidden", sample_weight="sample_weight")
    objective = Objective(data=term, small=weighted)
    trainer = make_trainer(model=model, objective=objective, train=source, accumulate_steps=3, steps=1)
    trainer.dry_run()  # which calls the model in search of what mixes examples
    counts.runs = 0
    trainer.train()
    assert counts.runs == runs


def test_a_term_without_a_batch_counts_once_in_parts_too(make_trainer, dense_model, replicas):
    before = dense_model().get_weights()
    settings = {"objective": Objective(decay=WeightDecay(variables="weights.*")), "steps": 1}
    trainer = make_trainer(strategy=replicas(2), accumulate_steps=2, **settings)
    values = trainer.train()
    assert values["terms/decay/raw"] == pytest.approx(sum(np.sum(w**2) for w in before), rel=1e-6)
    for found, weight in zip(trainer.model.get_weights(), before, strict=True):
        np.testing.assert_allclose(found, weight - 0.1 * 2 * weight, atol=1e-6)


@pytest.mark.parametrize("average", ["elements", pytest.param("examples", marks=pytest.mark.slow)])
def test_a_padded_sequence_counts_by_its_elements_or_as_one_example(make_trainer, replicas, average):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input([4, 1]), keras.layers.Dense(1)])
    values = np.arange(20.0, dtype=np.float32).reshape(5, 4)
    mask = np.float32(np.arange(4) < np.array([4, 1, 0, 2, 3])[:, None])
    source = ArraySource(values[..., None], {"mask": mask, "value": values})
    value = FunctionTerm(
        fn=lambda value: value, keys_of={"value": "targets.value"}, mask="targets.mask", average=average, weight=0.0
    )
    objective = Objective(value=value, size=ActivationPenalty(activation="outputs"))
    settings = {"model": model, "objective": objective, "train": source, "eval": source, "batch_size": 5, "steps": 1}
    trainer = make_trainer(strategy=replicas(2), accumulate_steps=2, **settings)
    by_example = [row[shown > 0].mean() for row, shown in zip(values, mask, strict=True) if shown.any()]
    expected = {"elements": values[mask > 0].mean(), "examples": np.mean(by_example)}
    trainer.train()
    assert trainer.evaluate()["terms/value/raw"] == pytest.approx(expected[average], rel=1e-6)


# Variables that no term reaches


@pytest.fixture
def reads_hidden():
    return Objective(small=ActivationPenalty(activation="activations.hidden", norm="l2"))


@pytest.mark.parametrize(("count", "parts"), [(1, 1), (2, 1), (1, 2)])
def test_all_variables_that_no_term_reaches_are_named(make_trainer, reads_hidden, replicas, count, parts):
    trainer = make_trainer(objective=reads_hidden, strategy=replicas(count), accumulate_steps=parts)
    with pytest.raises(ConfigurationError, match="no term depends on head/kernel, head/bias; expected every"):
        trainer.train()


@pytest.mark.parametrize(("count", "parts"), [(1, 1), (2, 1), (1, 2)])
def test_they_are_left_as_they_are_where_that_is_allowed(
    make_trainer, dense_model, reads_hidden, replicas, count, parts
):
    settings = {"objective": reads_hidden, "strategy": replicas(count), "accumulate_steps": parts}
    trainer = make_trainer(allow_unreached=True, **settings)
    trainer.train()
    before = dense_model()
    for name, stays in (("hidden", False), ("head", True)):
        found, first = (model.get_layer(name).kernel.numpy() for model in (trainer.model, before))
        assert np.array_equal(found, first) == stays


def test_neither_weight_decay_nor_momentum_moves_them(make_trainer, dense_model, reads_hidden):
    model, optimizer = dense_model(), keras.optimizers.AdamW(0.1, weight_decay=0.1)
    make_trainer(model=model, optimizer=optimizer).train()
    before, hidden = (model.get_layer(name).kernel.numpy() for name in ("head", "hidden"))
    make_trainer(model=model, optimizer=optimizer, objective=reads_hidden, allow_unreached=True, steps=2).train()
    np.testing.assert_array_equal(model.get_layer("head").kernel, before)
    assert not np.array_equal(model.get_layer("hidden").kernel, hidden)


def test_a_frozen_layer_needs_no_term(make_trainer, dense_model, reads_hidden):
    model = dense_model()
    model.get_layer("head").trainable = False
    make_trainer(model=model, objective=reads_hidden).train()


# The optimizer's own weight decay


@pytest.mark.slow
def test_the_weight_decay_of_adamw_is_applied_once(make_trainer, replicas):
    def weights(count, decay):
        optimizer = keras.optimizers.AdamW(0.01, weight_decay=decay)
        trainer = make_trainer(optimizer=optimizer, strategy=replicas(count))
        trainer.train()
        return trainer.model

    decayed = weights(1, 0.5)
    assert np.abs(decayed.get_weights()[0] - weights(1, 0.0).get_weights()[0]).max() > 1e-3
    for count in (2, 3):
        assert_same_weights(weights(count, 0.5), decayed, atol=1e-6)


# Masks that a model makes otherwise in training


@pytest.mark.parametrize(
    ("layer", "count"),
    [
        (lambda: keras.layers.Dropout(0.5, seed=3), 1),
        pytest.param(lambda: keras.layers.Dropout(0.5, seed=3), 2, marks=pytest.mark.slow),
        pytest.param(keras.layers.BatchNormalization, 2, marks=pytest.mark.slow),
    ],
)
def test_counts_are_of_the_masks_that_training_makes(make_trainer, replicas, layer, count):
    """A mean of ones is 1, whatever is masked; the moving statistics know of no more than one pass."""

    def trained(mask):
        keras.utils.set_random_seed(0)
        inputs = keras.Input([3])
        hidden = layer()(inputs)
        model = keras.Model(
            inputs, {"mask": keras.ops.cast(hidden > 0.3, "float32"), "y": keras.layers.Dense(3)(hidden)}
        )
        ones = FunctionTerm(fn=lambda y: tf.ones_like(y), keys_of={"y": "outputs.y"}, mask=mask)
        objective = Objective(data=MeanSquaredError(y_true="targets", y_pred="outputs.y"), ones=ones)
        source = ArraySource(
            np.float32(np.random.default_rng(0).normal(size=[16, 3]) + 1), np.ones([16, 3], np.float32)
        )
        settings = {"strategy": replicas(count), "accumulate_steps": 2, "batch_size": 16, "steps": 2}
        trainer = make_trainer(model=model, objective=objective, train=source, **settings)
        return trainer.train()["terms/ones/raw"], model

    raw, model = trained("outputs.mask")
    assert raw == pytest.approx(1.0, abs=1e-6)
    assert_same_weights(model, trained(None)[1], atol=1e-6)


class WordDropout(keras.layers.Layer):
    """Makes padding, which is 0, of half of the words in training."""

    def __init__(self):
        super().__init__()
        self.draws = keras.random.SeedGenerator(7)

    def call(self, words, training=False):
        shown = keras.random.uniform(keras.ops.shape(words), seed=self.draws) > 0.5
        return keras.ops.where(shown, words, 0) if training else words


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_counts_are_of_the_keras_masks_that_training_makes(make_trainer, replicas, recorder, count):
    """With logits of 0 the cross-entropy is log 5, whatever is masked; some half of the 72 words a step is."""
    words = keras.Input([6], dtype="int64")
    embedded = keras.layers.Embedding(9, 4, mask_zero=True)(WordDropout()(words))
    model = keras.Model(words, keras.layers.Dense(5, kernel_initializer="zeros")(embedded))
    rng = np.random.default_rng(0)
    make_trainer(
        model=model,
        objective=Objective(data=KerasLoss(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))),
        train=ArraySource(rng.integers(1, 9, size=(24, 6)), rng.integers(5, size=(24, 6))),
        optimizer=keras.optimizers.SGD(0.0),
        strategy=replicas(count),
        accumulate_steps=3,
        batch_size=12,
        steps=2,
        log_every=1,
        reports=[recorder],
    ).train()
    assert recorder.column("terms/data/raw") == pytest.approx([np.log(5)] * 2, rel=1e-6)
    assert all(20 < seen < 55 for seen in recorder.column("terms/data/count"))


# What layers write


class Counter(keras.layers.Layer):
    """Counts its calls, those that are not of training too."""

    def __init__(self):
        super().__init__(name="counter")
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, dtype="int32")

    def call(self, inputs):
        self.calls.assign_add(1)
        return inputs


def test_the_pass_that_counts_writes_nothing(make_trainer, dense_model):
    model = dense_model(Counter)
    make_trainer(model=model, accumulate_steps=3, batch_size=12, steps=2).train()
    assert model.get_layer("counter").calls.numpy() == 2 * 3
