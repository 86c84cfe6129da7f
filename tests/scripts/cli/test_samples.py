"""Samples: what has to be given is shown with a value of its kind and what may stand there."""

from typing import Annotated

import keras
import pytest

from objectives import Key
from objectives.annotations import Count, Expected, Finite
from termwise.cli.samples import sample


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Key, "'outputs.mask'"),
        (Count, "10"),
        (Finite, "1.0"),
        (keras.optimizers.Optimizer, "@keras.optimizers.Adam()"),
        (Annotated[object, Expected("a thing, such as @keras.losses.Huber()")], "@keras.losses.Huber()"),
        (str, "'...'"),
    ],
)
def test_a_value_is_of_the_kind_that_its_annotation_says(annotation, value):
    assert sample("x", annotation).startswith(f"{value}  # ")


def test_parameters_of_keras_are_known_by_name():
    assert sample("decay_steps", None) == "1000"
    assert sample("unheard_of", None) == "'...'"
