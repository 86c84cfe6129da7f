"""Known outputs: a model tells their shapes beforehand, unless it has a call of its own or hides values."""

import keras

from trainer.steps.layers.known_outputs import known_outputs


def test_a_model_of_layers_tells_its_outputs_and_one_that_masks_does_not(dict_model):
    assert known_outputs(dict_model())["y"].shape == (None, 2)
    masking = keras.layers.Embedding(5, 3, mask_zero=True)
    assert known_outputs(keras.Sequential([keras.Input([4]), masking])) is None


def test_a_model_with_a_call_of_its_own_and_one_that_is_not_built_tell_nothing():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    assert known_outputs(Own()) is None
    assert known_outputs(keras.Sequential([keras.layers.Dense(2)])) is None
