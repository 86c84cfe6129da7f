"""What was loaded is compared with the model, unless the model itself gives other numbers each time."""

import keras
import pytest

from objectives import ConfigurationError
from trainer.saved.loaded import require_equal
from trainer.saved.signature import signature_of


@pytest.fixture
def model():
    x = keras.Input([None, 2], name="x")
    return keras.Model(x, keras.layers.Dense(1, name="head")(x))


def test_equal_numbers_pass_and_others_do_not(model):
    signature = signature_of(model)
    require_equal(model, signature, lambda inputs: {"head": model(inputs["x"])}, "saved_model")
    with pytest.raises(ConfigurationError, match="the model that was written as keras gives another 'head' than the"):
        require_equal(model, signature, lambda inputs: {"head": model(inputs["x"]) + 1e-3}, "keras")


def test_a_model_that_draws_in_inference_cannot_be_compared(noisy):
    x = keras.Input([2], name="x")
    model = keras.Model(x, noisy()(x))
    signature = signature_of(model)
    require_equal(model, signature, lambda inputs: signature.unpack(model(inputs["x"])), "saved_model")


def test_half_precision_may_round_otherwise_but_not_by_much():
    x = keras.Input([2], name="x")
    model = keras.Model(x, keras.layers.Dense(1, dtype="mixed_bfloat16", name="head")(x))
    signature = signature_of(model)
    require_equal(model, signature, lambda inputs: {"head": model(inputs["x"]) * 1.005}, "saved_model")
    with pytest.raises(ConfigurationError, match="gives another 'head'"):
        require_equal(model, signature, lambda inputs: {"head": model(inputs["x"]) * 1.2}, "saved_model")
