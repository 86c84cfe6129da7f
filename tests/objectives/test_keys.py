"""Keys: how they are read, and the answer to what is none."""

import re

import pytest

from objectives import ConfigurationError, Context, RangeHinge
from objectives.keys import derivative_of, pieces


def test_a_key_is_a_string():
    with pytest.raises(ConfigurationError, match="a key is a string such as 'outputs.mask', not 3"):
        Context()[3]


@pytest.mark.parametrize(
    ("key", "of", "by"),
    [
        ("gradients.outputs/inputs", "outputs", ["inputs"]),
        ("gradients.outputs.u.0/inputs.x/inputs.t", "outputs.u.0", ["inputs.x", "inputs.t"]),
        ("gradients.activations.a/b.1/activations.c/d/inputs", "activations.a/b.1", ["activations.c/d", "inputs"]),
        ("gradients.outputs/preactivations.inputs", "outputs", ["preactivations.inputs"]),
        ("gradients.activations.block/outputs/inputs", "activations.block/outputs", ["inputs"]),
        ("gradients.activations.block/inputs_of_it/inputs", "activations.block/inputs_of_it", ["inputs"]),
    ],
)
def test_a_derivative_is_of_a_tensor_by_others(key, of, by):
    assert derivative_of(key) == (of, tuple(by))
    assert derivative_of(key).key == key
    assert pieces(key) == (of, *by)


@pytest.mark.parametrize(
    "key",
    ["gradients", "gradients.outputs", "gradients.outputs/targets", "gradients.inputs/inputs", "gradients.u/inputs"],
)
def test_what_is_no_derivative_is_refused_where_a_term_is_made(key):
    with pytest.raises(ConfigurationError, match=re.escape(f"RangeHinge.y_pred: key {key!r} does not say what is")):
        RangeHinge(y_pred=key)
