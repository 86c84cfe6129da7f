"""Fitting: values find their places over any number of replicas, and what differs is named."""

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer.checkpoints.fitting import fitted

SAVED = {"a": np.zeros([2, 3]), "b@0": np.array([1.0]), "b@1": np.array([2.0])}


@pytest.mark.parametrize(("count", "values"), [(1, [1.0]), (2, [1.0, 2.0]), (4, [1.0, 2.0, 1.0, 1.0])])
def test_replicas_that_were_not_there_take_the_values_of_the_first(count, values):
    shapes = {"a": (2, 3), **{f"b@{i}": (1,) for i in range(count)}}
    found = fitted(SAVED, shapes)
    assert list(found) == list(shapes)
    assert [found[f"b@{i}"].item() for i in range(count)] == values


def test_a_length_may_be_left_open():
    shapes = {"a": (None, 3), "b@0": (None,)}
    assert list(fitted(SAVED, shapes)) == ["a", "b@0"]
    with pytest.raises(ConfigurationError, match=r"^a has shape \[2, 3\], expected \[None\]$"):
        fitted(SAVED, {**shapes, "a": (None,)})


@pytest.mark.parametrize(
    ("shapes", "answer"),
    [
        ({"a": (3, 2), "b@0": (1,)}, r"^a has shape \[2, 3\], expected \[3, 2\]$"),
        ({"b@0": (1,)}, "^a is unknown here$"),
        ({"a": (2, 3)}, "^b@0 is unknown here; b@1 is unknown here$"),
        ({"a": (2, 3), "b@0": (1,), "c": ()}, "^c is missing$"),
        ({"a": (2, 3), "b@0": (1,), "c@1": ()}, "^c@1 is missing$"),
        ({"a": (2, 3), "b@0": (1,), **{f"c{i}": () for i in range(5)}}, "c2 is missing, and 2 more$"),
    ],
)
def test_what_differs_is_named(shapes, answer):
    with pytest.raises(ConfigurationError, match=answer):
        fitted(SAVED, shapes)
