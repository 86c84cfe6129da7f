"""Sketches: one batch is known again, however it was rounded; another is not, be it ever so like."""

import numpy as np
import pytest
import tensorflow as tf

from trainer.feeds.sketch import is_close, sketch


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, [8, 5, 4, 3], dtype=np.uint8)
    return {"image": images, "x": rng.normal(size=[8, 3]), "targets": rng.integers(0, 9, [8])}


def changed(batch, path, change):
    return {**batch, path: change(batch[path])}


def sketched(batch):
    return sketch(tf.nest.map_structure(tf.constant, batch))


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("x", lambda x: x[::-1]),
        ("x", lambda x: x[:, ::-1]),
        ("x", lambda x: np.where(np.arange(8)[:, None] == 7, x + 1e-3, x)),
        ("image", lambda x: np.where(np.arange(8)[:, None, None, None] == 2, x ^ 1, x)),
        ("image", lambda x: x[:, :, ::-1]),
        ("targets", lambda y: np.roll(y, 1)),
        ("x", lambda x: x[:7]),
        ("x", lambda x: np.where(np.arange(8)[:, None] == 7, np.nan, x)),
    ],
)
def test_another_batch_is_not_alike(batch, path, change):
    assert not is_close(sketched(batch), sketched(changed(batch, path, change)))


@pytest.mark.parametrize("change", [lambda x: x, lambda x: x * (1 + 1e-7), lambda x: x.astype(np.float32)])
def test_the_same_batch_is_alike(batch, change):
    assert is_close(sketched(batch), sketched(changed(batch, "x", change)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_alike_itself(value):
    rows = tf.constant([[1.0, value], [0.0, 1.0]])
    assert is_close(sketch(rows), sketch(rows))
    assert not is_close(sketch(rows), sketch(tf.constant([[1.0, value], [0.0, 2.0]])))
