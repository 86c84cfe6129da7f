"""Fitting: values find their places by their names, and what differs is named."""

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer.checkpoints.fitting import fitted

SAVED = {"a": np.zeros([2, 3]), "b": np.array([1.0])}


def test_a_length_may_be_left_open():
    shapes = {"b": (None,), "a": (None, 3)}
    assert list(fitted(SAVED, shapes)) == ["b", "a"]
    with pytest.raises(ConfigurationError, match=r"^a has shape \[2, 3\], expected \[None\]$"):
        fitted(SAVED, {**shapes, "a": (None,)})


@pytest.mark.parametrize(
    ("shapes", "answer"),
    [
        ({"a": (3, 2), "b": (1,)}, r"^a has shape \[2, 3\], expected \[3, 2\]$"),
        ({}, "^a is unknown here; b is unknown here$"),
        ({"a": (2, 3), "b": (1,), "c": ()}, "^c is missing$"),
        ({"a": (2, 3), "b": (1,), **{f"c{i}": () for i in range(5)}}, "c2 is missing, and 2 more$"),
    ],
)
def test_what_differs_is_named(shapes, answer):
    with pytest.raises(ConfigurationError, match=answer):
        fitted(SAVED, shapes)
