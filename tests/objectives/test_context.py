"""Contexts: which tensor a key selects, and the answer to each key that selects none."""

import dataclasses
import re

import pytest
import tensorflow as tf

from objectives import ConfigurationError, Context, Objective, RangeHinge
from objectives.keys import ROOTS

# Any object will do for a tensor.
CONTEXT = Context(
    inputs={"image": 1, "meta": {"age": 2}},
    targets=[3, (4, 5)],
    outputs=6,
    activations={"encoder/conv3": 7, "v1.5/dense": 8},
    weights={"head/kernel": 9},
    gradients={"outputs/inputs.image": 11},
    step=10,
)


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("outputs", 6),
        ("inputs.image", 1),
        ("inputs.meta.age", 2),
        ("targets.0", 3),
        ("targets.1.1", 5),
        ("activations.encoder/conv3", 7),
        ("activations.v1.5/dense", 8),
        ("weights.head/kernel", 9),
        ("step", 10),
        ("update", 10),
        ("gradients.outputs/inputs.image", 11),
    ],
)
def test_a_key_selects(key, found):
    assert CONTEXT[key] == found


def test_an_update_has_a_number_of_its_own_where_one_is_given():
    assert Context(step=3, update=8)["update"] == 8


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("output", "'output'; did you mean 'outputs'?"),
        ("valid", "begins with 'valid'; known: activations, gradients, "),
        ("gradients.outputs/inputs", "'gradients.outputs/inputs': did you mean 'gradients.outputs/inputs.image'?"),
        ("model", "this run has no model"),
        ("", "begins with ''; known: "),
        ("inputs.imgae", "did you mean 'inputs.image'? (known: inputs.image, inputs.meta)"),
        ("inputs.meta.aeg", "did you mean 'inputs.meta.age'?"),
        ("activations.encoder/conv2", "did you mean 'activations.encoder/conv3'?"),
        ("targets.2", "(known: targets.0, targets.1)"),
        ("targets.-1", "known: targets.0, targets.1"),
        ("outputs.mask", "'outputs' is one tensor and has no part 'mask'; expected 'outputs'"),
        ("inputs", "names several tensors; did you mean 'inputs.meta'?"),
        ("targets.1", "names several tensors"),
        ("sample_weight", "this run has no sample_weight"),
    ],
)
def test_a_key_that_selects_nothing_is_refused(key, answer):
    with pytest.raises(ConfigurationError, match=re.escape(repr(key))) as error:
        CONTEXT[key]
    assert answer in str(error.value)


def test_a_layer_that_is_called_several_times_is_answered_with_all_of_its_calls():
    context = Context(activations={"shared": [1, 2]})
    with pytest.raises(
        ConfigurationError, match=r"expected one of activations\.shared\.0, activations\.shared\.1, or a star"
    ):
        context["activations.shared"]


def test_a_key_is_resolved_once_for_all_terms():
    class Outputs(dict):
        asked = 0

        def __getitem__(self, name):
            self.asked += 1
            return super().__getitem__(name)

    outputs = Outputs(mask=tf.ones([2, 3]))
    terms = {f"term_{i}": RangeHinge(y_pred="outputs.mask", max_value=0.1 * i) for i in range(16)}
    Objective(**terms).means(Context(outputs=outputs))
    assert outputs.asked == 1


def test_each_root_is_a_field():
    fields = {field.name for field in dataclasses.fields(Context)}
    assert set(ROOTS) == fields - {"valid", "gather", "stars", "_found"}


def test_a_derivative_is_of_the_part_of_a_mixed_batch_that_it_is_taken_in():
    context = Context(valid={"interior": 1, "boundary": 2})
    assert context.valid_for(["gradients.outputs.interior/inputs.interior.x"]) == 1
    with pytest.raises(ConfigurationError, match="of different parts"):
        context.valid_for(["gradients.outputs.interior/inputs.interior.x", "targets.boundary"])
