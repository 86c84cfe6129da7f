"""Annotations: what fits each kind, and what is said of what does not."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol, TypeVar

import numpy as np
import pytest
import tensorflow as tf

from objectives import Key, RangeHinge
from objectives.annotations import Count, Expected, Positive, mismatch
from objectives.schedules import Linear, Weight

T = TypeVar("T")
Optimizer = type("Optimizer", (), {})
Function = Callable[[tf.Tensor], tf.Tensor]


class Sized(Protocol):
    size: int


FITTING = [
    (3, int),
    (np.int64(3), int),
    (3, float),
    (np.float32(0.5), float),
    (float("inf"), float),
    (True, bool),
    (np.bool_(False), bool),
    ("l1", str),
    (None, int | None),
    ("l1", Literal["l1", "l2"]),
    ((1, 2.5), tuple[float, ...]),
    ([1.0], tuple[float, ...]),
    (np.ones([2, 2]), tuple[tuple[float, ...], ...]),
    ((1, "a"), tuple[int, str]),
    ([RangeHinge()], Sequence[RangeHinge]),
    ({"a": "outputs"}, Mapping[str, Key]),
    (lambda step: step, Function),
    (Linear(steps=3), Weight),
    (0.5, Weight),
    (len, Callable),
    (max, Callable[[Any], Any]),
    (Linear, Callable[[], Linear]),
    (RangeHinge, type[RangeHinge]),
    (3, Count),
    ("anything", Any),
    ("anything", T),
    (3, "Unknown"),
    (3, Sized),
]


@pytest.mark.parametrize(("value", "annotation"), FITTING)
def test_what_fits(value, annotation):
    assert mismatch(value, annotation) is None


@pytest.mark.parametrize(
    ("value", "annotation", "answer"),
    [
        (True, int, "is True; expected a whole number"),
        (2.0, int, "is 2.0; expected a whole number"),
        ("3", int | None, "is '3'; expected a whole number or None"),
        (None, int, "is None; expected a whole number"),
        (False, float, "is False; expected a number"),
        (float("nan"), float, "is nan; expected a number"),
        (1j, float, "is 1j; expected a number"),
        ([1.0], float, "is [1.0]; expected a number"),
        ("False", bool, "is 'False'; expected True or False"),
        (1, bool, "is 1; expected True or False"),
        (3, str, "is 3; expected text"),
        ("lh1", Literal["l1", "l2"], "is 'lh1'; did you mean 'l1'? (known: l1, l2)"),
        (3, Literal["l1", "l2"] | None, "is 3; known: l1, l2"),
        (True, Literal[1], "is True; expected 1"),
        ("12", tuple[float, ...], "is '12'; expected a sequence (each item: a number)"),
        ((1, "2"), tuple[int, ...], "is (1, '2'); expected a sequence (each item: a whole number)"),
        ((1, 2, 3), tuple[int, int], "is (1, 2, 3); expected a sequence (each item: a whole number)"),
        (np.float64(3), Sequence[float], "is 3.0; expected a sequence (each item: a number)"),
        ("x", Sequence[RangeHinge], "is 'x'; expected a sequence (each item: an instance of RangeHinge)"),
        ({"a": 3}, Mapping[str, Key], "has 'a', which is 3; expected a key such as 'outputs.mask'"),
        ({3: "a"}, Mapping[str, str] | None, "has a name that is 3; expected text"),
        ({"a": "x", "b": [1]}, Mapping[str, str | Sequence[str]], "has 'b', which is [1]; expected text or a sequence"),
        ([1], Mapping[str, Count] | None, "is [1]; expected a dict (each value: a whole number above 0) or None"),
        (3, Mapping[str, Any], "is 3; expected a dict"),
        (3, dict, "is 3; expected a dict"),
        (3, Function, "is 3; expected a function of 1 argument"),
        (lambda: 1, Function, "is <function <lambda>>; expected a function of 1 argument"),
        (
            RangeHinge(),
            Weight,
            "is RangeHinge(); expected a finite number, a schedule such as @Linear(), or a function",
        ),
        (Linear, Weight, "is the class Linear, not an object of it; write @Linear() in a gin file, Linear() in Python"),
        (Optimizer, Optimizer | None, "is the class Optimizer, not an object of it; write @Optimizer() in a gin file"),
        (int, Optimizer | None, "is the class int; expected an instance of Optimizer or None"),
        (Optimizer(), type[RangeHinge], "is an object of Optimizer; expected a class of RangeHinge"),
        (0, Count, "is 0; expected a whole number above 0"),
        (10**30, Count, f"is {10**30}; expected a whole number above 0"),
        (-0.5, Positive | None, "is -0.5; expected a number above 0 or None"),
        (3, Key | None, "is 3; expected a key such as 'outputs.mask' or None"),
        (np.zeros([2, 3]), Optimizer, "is an array (2, 3) of float64; expected an instance of Optimizer"),
        (2, Annotated[int, Expected("an odd number", lambda n: n % 2 == 1)], "is 2; expected an odd number"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(value, annotation, answer):
    found = mismatch(value, annotation)
    assert found is not None
    assert found.startswith(answer)


def test_a_long_value_is_shortened():
    assert len(mismatch("x" * 10_000, int)) < 150
