"""Inputs: examples that a model does not take are refused by key, with both shapes, before anything is traced."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, DatasetSource, MixedSource, Trainer, model_of_parts
from trainer.settings.inputs import refuse_other_inputs

X, WIDE = np.zeros([6, 3]), np.zeros([6, 5])


def of_dataset(inputs):
    return DatasetSource(lambda: tf.data.Dataset.from_tensor_slices(inputs))


def chain(*layers):
    return keras.Sequential([*layers], name="net")


@pytest.fixture
def net():
    """A model of one input `[3]`."""
    return chain(keras.Input([3]), keras.layers.Dense(1))


@pytest.fixture
def pair():
    """Makes a model of two inputs, `p` and `q`, in a dict or a list."""

    def make(structure):
        p, q = keras.Input([3], name="p"), keras.Input([4], name="q")
        inputs = {"p": p, "q": q} if structure is dict else [p, q]
        return keras.Model(inputs, keras.layers.Concatenate()([p, q]), name="pair")

    return make


def refused(model, source):
    with pytest.raises(ConfigurationError) as error:
        refuse_other_inputs(model, source, "the data", batch_size=2)
    return error.value.messages


@pytest.mark.parametrize("make", [ArraySource, of_dataset])
def test_a_shape_that_a_model_does_not_take_is_named_with_its_key(net, make):
    refuse_other_inputs(net, make(X), "the data", batch_size=2)
    (message,) = refused(net, make(WIDE))
    assert message == (
        f"{make(X).__class__.__name__}: inputs is [examples, 5] in the data, and the model 'net' takes [examples, 3]; "
        f"expected the same, or a model that takes [examples, 5]"
    )


@pytest.mark.parametrize("structure", [dict, list])
def test_of_several_inputs_each_that_is_of_another_shape_is_named(pair, structure):
    model = pair(structure)
    refuse_other_inputs(model, ArraySource({"p": X, "q": np.zeros([6, 4])}), "the data", batch_size=2)
    (message,) = refused(model, ArraySource({"p": X, "q": WIDE}))
    assert re.search(r"inputs\.q is \[examples, 5\] .* takes \[examples, 4\]", message)
    assert len(refused(model, ArraySource({"p": WIDE, "q": WIDE}))) == 2
    assert "inputs.1 is [examples, 5]" in refused(model, ArraySource([X, WIDE]))[0]


def test_an_input_that_is_missing_is_named_with_the_nearest_that_there_is(pair):
    (message,) = refused(pair(dict), ArraySource({"p": X, "Q": X}))
    assert "have no inputs.q, which the model 'pair' takes, [examples, 4]; did you mean" in message
    (message,) = refused(pair(list), ArraySource(X))
    assert "have inputs [examples, 3], and the model 'pair' takes p [examples, 3] and q [examples, 4]" in message


def test_a_part_of_a_mixed_source_is_named_by_its_own_source(pair):
    parts = MixedSource(p=ArraySource(X), q=ArraySource(WIDE))
    assert refused(pair(dict), parts)[0].startswith("ArraySource: inputs.q is [examples, 5] in the data")
    assert refused(pair(dict), MixedSource(p=ArraySource(X)))[0].startswith("MixedSource: the data have no inputs.q")


def test_what_a_model_takes_all_the_same_is_left_alone(net):
    pooled = chain(keras.Input([8, 2]), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1))
    refuse_other_inputs(pooled, ArraySource(np.zeros([6, 5, 2])), "the data", batch_size=2)
    refuse_other_inputs(chain(keras.Input([1])), ArraySource(np.zeros(6)), "the data", batch_size=2)
    refuse_other_inputs(chain(keras.layers.Dense(1)), ArraySource(WIDE), "the data", batch_size=2)


def test_a_trainer_looks_at_both_of_its_sources(net):
    with pytest.raises(ConfigurationError, match=r"inputs is \[examples, 5\] in the evaluation data"):
        Trainer(
            model=net,
            objective=Objective(data=MeanSquaredError()),
            optimizer=keras.optimizers.SGD(0.1),
            train=ArraySource(X, np.zeros([6, 1])),
            eval=ArraySource(WIDE, np.zeros([6, 1])),
            steps=1,
        )


def test_a_model_of_the_examples_of_one_part_is_refused_with_the_lines_that_apply_it_to_each(net):
    message, *lines = refused(net, MixedSource(a=ArraySource(X), b=ArraySource(X)))
    assert message.startswith(
        "MixedSource: the data have the parts a, b, and the model 'net' takes the examples of one"
    )
    assert [line.partition("  #")[0].strip() for line in lines] == [
        "Trainer.model = @model_of_parts()",
        "model_of_parts.model = @...()",
        "model_of_parts.parts = ('a', 'b')",
    ]
    refuse_other_inputs(
        model_of_parts(net, parts=("a", "b")), MixedSource(a=ArraySource(X), b=ArraySource(X)), "the data", batch_size=2
    )
    (other,) = refused(net, MixedSource(a=ArraySource(X), b=ArraySource(WIDE)))
    assert "model_of_parts" not in other
