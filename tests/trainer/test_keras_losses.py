"""Losses of Keras: however a batch is cut and padded, a step is that of Keras's own `train_on_batch`."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, losses

from objectives import KerasLoss, Objective
from trainer import ArraySource

RNG = np.random.default_rng(0)
BATCH, STEPS = 7, 2
EXAMPLES = BATCH * STEPS
FEATURES = RNG.normal(size=(EXAMPLES, 4)).astype(np.float32)
FRAMES = RNG.normal(size=(EXAMPLES, 6, 4)).astype(np.float32)
TOKENS = RNG.integers(1, 7, size=(EXAMPLES, 5)) * (np.arange(5) <= np.arange(EXAMPLES)[:, None] % 5)
LABELS = RNG.integers(0, 3, size=EXAMPLES)


def dense(activation=None):
    # Its logits are so large that the probabilities are 0 and 1 in float32.
    large = keras.initializers.RandomNormal(stddev=40.0, seed=1)
    return layers.Dense(3, activation=activation, kernel_initializer=large)


def tagger():
    words = layers.Embedding(7, 4, mask_zero=True, embeddings_initializer=keras.initializers.RandomNormal(seed=1))
    return [keras.Input([5]), words, dense("softmax")]


class Takes(layers.Layer):
    """Takes integers by an index, so that the result is guarded."""

    def call(self, inputs):
        return tf.one_hot(tf.gather(tf.constant([3, 0, 6, 2, 5, 1, 4]), tf.cast(inputs[:, 0], tf.int32)), 7)


CASES = {
    "softmax": (
        lambda: [keras.Input([4]), dense("softmax")],
        losses.SparseCategoricalCrossentropy(),
        FEATURES,
        LABELS,
    ),
    "softmax of TensorFlow": (
        lambda: [keras.Input([4]), dense(tf.nn.softmax)],
        losses.SparseCategoricalCrossentropy(),
        FEATURES,
        LABELS,
    ),
    "sigmoid": (
        lambda: [keras.Input([4]), dense("sigmoid")],
        losses.BinaryCrossentropy(),
        FEATURES,
        np.eye(3, dtype=np.float32)[LABELS],
    ),
    "masked steps": (tagger, losses.SparseCategoricalCrossentropy(), TOKENS, TOKENS % 3),
    "integers taken": (
        lambda: [keras.Input([5]), Takes(), dense("softmax")],
        losses.SparseCategoricalCrossentropy(),
        TOKENS,
        LABELS,
    ),
    "ctc": (
        lambda: [keras.Input([6, 4]), layers.Dense(5, kernel_initializer=keras.initializers.GlorotNormal(seed=1))],
        losses.CTC(),
        FRAMES,
        RNG.integers(1, 5, size=(EXAMPLES, 2)),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("make", "loss", "x", "y"), CASES.values(), ids=CASES.keys())
def test_a_step_is_that_of_keras(report, recorder, replicas, make, loss, x, y):
    of_keras = keras.Sequential(make())
    of_keras.compile(keras.optimizers.SGD(0.1), loss, jit_compile=False)
    expected = []
    for step in range(STEPS):
        of_keras.reset_metrics()
        rows = slice(step * BATCH, (step + 1) * BATCH)
        expected.append(of_keras.train_on_batch(x[rows], y[rows]))
    whole = of_keras.evaluate(x[: EXAMPLES - 3], y[: EXAMPLES - 3], batch_size=EXAMPLES, verbose=0)
    for count, parts in ((1, 1), (1, 2), (2, 1)):
        model, said = keras.Sequential(make()), f"{count} replicas, {parts} micro-batches"
        recorder.lines.clear()
        found = report(
            model=model,
            objective=Objective(data=KerasLoss(loss=loss)),
            train=ArraySource(x, y, shuffle=False),
            eval=ArraySource(x[: EXAMPLES - 3], y[: EXAMPLES - 3]),
            strategy=replicas(count),
            accumulate_steps=parts,
            batch_size=BATCH,
            steps=STEPS,
            log_every=1,
        )
        np.testing.assert_allclose(found.column("loss/total"), expected, rtol=1e-5, err_msg=said)
        for ours, theirs in zip(model.get_weights(), of_keras.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5, err_msg=said)
        np.testing.assert_allclose(found.column("loss/total", "eval")[-1], whole, rtol=1e-5, err_msg=said)
