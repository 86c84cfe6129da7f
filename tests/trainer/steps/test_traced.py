"""Traced: what a traced step would not notice is refused by its name, and what it reads may change."""

import keras
import pytest
from keras.optimizers.schedules import CosineDecay

from objectives import ConfigurationError
from trainer.steps.traced import Traced


@pytest.fixture
def model(dense_model):
    return dense_model(lambda: keras.layers.Dropout(0.5, name="noise"), keras.layers.BatchNormalization)


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (lambda m, o: setattr(m.get_layer("hidden"), "trainable", False), "hidden.trainable was True .* is False now"),
        (lambda m, o: setattr(m.get_layer("head").bias, "trainable", False), "head/bias.trainable was True"),
        (lambda m, o: setattr(m.get_layer("noise"), "rate", 0.1), "noise.rate was 0.5 .* is 0.1 now"),
        (lambda m, o: setattr(o, "momentum", 0.9), "the optimizer's momentum was 0.0 .* is 0.9 now"),
        (
            lambda m, o: setattr(o, "learning_rate", CosineDecay(0.1, 9)),
            "is CosineDecay now",
        ),
    ],
)
def test_a_change_that_a_traced_step_would_not_notice_is_named(model, change, answer):
    optimizer = keras.optimizers.SGD(0.1)
    traced = Traced(model, optimizer)
    change(model, optimizer)
    with pytest.raises(ConfigurationError, match=f"{answer}.*expected it as it was, or a new Trainer"):
        traced.require_unchanged()


def test_values_of_variables_and_what_is_put_back_are_no_change(model):
    optimizer = keras.optimizers.SGD(0.1)
    traced = Traced(model, optimizer)
    optimizer.learning_rate = 0.01
    model.set_weights([weight + 1 for weight in model.get_weights()])
    model.get_layer("head").trainable = False
    model.get_layer("head").trainable = True
    traced.require_unchanged()
