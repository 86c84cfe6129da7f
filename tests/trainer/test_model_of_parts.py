"""A model of parts applies one network to each part of a mixed batch, whose weights are its own."""

import keras
import numpy as np
import pytest

from objectives import ConfigurationError
from trainer import model_of_parts

RNG = np.random.default_rng(0)
PARTS = {part: RNG.normal(size=(count, 2)).astype(np.float32) for part, count in (("ends", 3), ("inside", 7))}


def of_one_tensor():
    return keras.Sequential([keras.Input([2]), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])


def of_several_tensors():
    at = {name: keras.Input([1], name=name) for name in ("x", "t")}
    return keras.Model(at, {"u": keras.layers.Dense(1)(at["x"] * at["t"])})


def test_each_part_is_what_the_network_makes_of_it():
    net = of_one_tensor()
    made = model_of_parts(net, parts=("ends", "inside"))(PARTS)
    assert {*made} == {"ends", "inside"}
    for part, x in PARTS.items():
        np.testing.assert_allclose(made[part], net(x), rtol=1e-6)


def test_inputs_and_outputs_by_name_stay_so_within_a_part():
    net = of_several_tensors()
    inputs = {part: {"x": x[:, :1], "t": x[:, 1:]} for part, x in PARTS.items()}
    made = model_of_parts(net, parts=("inside", "ends"))(inputs)
    for part, of in inputs.items():
        np.testing.assert_allclose(made[part]["u"], net(of)["u"], rtol=1e-6)


def test_the_weights_are_those_of_the_network_and_it_is_saved(tmp_path):
    net = of_one_tensor()
    model = model_of_parts(net, parts=("ends", "inside"))
    assert [id(variable) for variable in model.variables] == [id(variable) for variable in net.variables]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")(PARTS)
    np.testing.assert_array_equal(again["ends"], model(PARTS)["ends"])


def test_a_model_with_a_call_of_its_own_tells_its_inputs_once_it_was_called():
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    net = Own()
    with pytest.raises(ConfigurationError, match=r"nothing says what the model 'own' takes; expected one that begins"):
        model_of_parts(net, parts=("ends",))
    expected = net(PARTS["ends"])
    np.testing.assert_allclose(model_of_parts(net, parts=("ends",))({"ends": PARTS["ends"]})["ends"], expected)


@pytest.mark.parametrize("parts", [(), ("ends", "ends")])
def test_parts_without_or_with_the_same_names_are_refused(parts):
    with pytest.raises(ConfigurationError, match="expected the name of each part, once"):
        model_of_parts(of_one_tensor(), parts=parts)
