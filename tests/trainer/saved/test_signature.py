"""The signature: inputs and outputs of any kind of model by name, the same in each process."""

import keras
import numpy as np
import pytest

from objectives import ConfigurationError
from trainer.saved.signature import signature_of, types_of_inputs


class Own(keras.Model):
    """A model whose call Keras knows nothing about."""

    def __init__(self):
        super().__init__()
        self.embed, self.head = keras.layers.Embedding(5, 3), keras.layers.Dense(2)

    def call(self, inputs, training=False):
        return {"mean": self.head(self.embed(inputs["ids"])), "size": inputs["size"]}


def shapes(specs):
    return {name: (spec.dtype.name, spec.shape.as_list()) for name, spec in specs.items()}


def functional(inputs, outputs=None):
    x = keras.Input([3], **inputs)
    return keras.Model(x, outputs(x) if outputs else keras.layers.Dense(1, name="head")(x))


def nested():
    p, q = keras.Input([3], name="p"), keras.Input([4], dtype="int32", name="q")
    embedded = keras.layers.Embedding(9, 2)(q)
    return keras.Model({"p": p, "q": q}, {"deep": {"sum": keras.layers.Dense(1)(p)}, "all": [embedded, embedded]})


@pytest.mark.parametrize(
    ("make", "inputs", "outputs"),
    [
        (lambda: functional({"name": "x"}), {"x": ("float32", [None, 3])}, {"head": ("float32", [None, 1])}),
        (lambda: functional({}), {"inputs": ("float32", [None, 3])}, {"head": ("float32", [None, 1])}),
        (
            lambda: keras.Sequential([keras.Input([3]), keras.layers.Dense(2)]),
            {"inputs": ("float32", [None, 3])},
            {"dense": ("float32", [None, 2])},
        ),
        (
            nested,
            {"p": ("float32", [None, 3]), "q": ("int32", [None, 4])},
            {
                "all.0": ("float32", [None, 4, 2]),
                "all.1": ("float32", [None, 4, 2]),
                "deep.sum": ("float32", [None, 1]),
            },
        ),
    ],
)
def test_names_are_those_that_a_reader_gave(make, inputs, outputs):
    keras.layers.Dense(1)  # another one that Keras counts
    signature = signature_of(make())
    assert (shapes(signature.inputs), shapes(signature.outputs)) == (inputs, outputs)


def test_inputs_are_packed_and_outputs_unpacked_by_name():
    model = nested()
    signature = signature_of(model)
    inputs = {"q": np.ones([2, 4], np.int32), "p": np.ones([2, 3], np.float32)}
    outputs = signature.unpack(model(signature.pack(inputs)))
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        "all.0": (2, 4, 2),
        "all.1": (2, 4, 2),
        "deep.sum": (2, 1),
    }


def test_of_a_model_with_a_call_of_its_own_the_types_are_those_of_the_training_data():
    model = Own()
    model({"ids": np.zeros([4, 6], np.int32), "size": np.zeros([4, 2], np.float32)})
    types = types_of_inputs({"inputs.ids": "int32 [50, 6], digest 7", "inputs.size": "float64 [50, 2], digest 8"})
    signature = signature_of(model, types)
    assert shapes(signature.inputs) == {"ids": ("int32", [None, 6]), "size": ("float32", [None, 2])}
    assert shapes(signature.outputs) == {"mean": ("float32", [None, 6, 2]), "size": ("float32", [None, 2])}


def test_a_model_that_was_never_called_is_refused():
    class Late(keras.Model):
        def build(self, shape):
            self.head = keras.layers.Dense(2)
            self.head.build((None, 3))
            self.built = True

        def call(self, x):
            return self.head(x)

    model = Late()
    model.build((None, 3))
    model._build_shapes_dict = None
    with pytest.raises(ConfigurationError, match=r"expected build_model\(\) to call it once on some inputs"):
        signature_of(model)


def test_half_precision_and_lookups_have_the_types_of_what_goes_in_and_out():
    keys = keras.Input([2], dtype="int64", name="keys")
    looked_up = keras.layers.IntegerLookup(vocabulary=[7, 9])(keys)
    model = keras.Model(keys, keras.layers.Dense(1, dtype="mixed_bfloat16", name="head")(looked_up))
    signature = signature_of(model)
    assert shapes(signature.inputs) == {"keys": ("int64", [None, 2])}
    assert shapes(signature.outputs) == {"head": ("bfloat16", [None, 1])}
