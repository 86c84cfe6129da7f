"""Stand-in: a model that fails on no examples is not asked for any, as that is no fault of a term."""

import keras
import numpy as np
import tensorflow as tf

from objectives.testing.stand_in import StandIn


def test_no_examples_have_outputs_of_the_shapes_that_one_has():
    inputs = {"image": keras.Input([8, 8, 3], name="image"), "place": keras.Input([2], name="place")}
    made = {"map": keras.layers.Conv2D(4, 3, padding="same")(inputs["image"]), "place": 2 * inputs["place"]}
    none = {"image": tf.zeros([0, 8, 8, 3]), "place": tf.zeros([0, 2])}
    found = StandIn(keras.Model(inputs, made))(none)
    assert {name: one.shape for name, one in found.items()} == {"map": [0, 8, 8, 4], "place": [0, 2]}


def test_examples_are_passed_on_as_they_are():
    given = np.ones([3, 2])
    assert StandIn(lambda inputs: inputs)(given) is given


def test_a_batch_of_unknown_size_is_one_of_examples():
    called = tf.function(StandIn(lambda inputs: 2.0 * inputs), input_signature=[tf.TensorSpec([None, 2])])
    assert called(tf.ones([3, 2])).numpy().tolist() == [[2.0, 2.0]] * 3
