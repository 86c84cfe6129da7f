"""Other networks: a network that a function holds counts by layers and weights, the trained model by neither."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, KerasLoss, MeanSquaredError, Objective
from trainer import ArraySource, Trainer
from trainer.settings.other_networks import describe_other_networks

X = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)


def network(seed, activation="tanh"):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input([2]), keras.layers.Dense(3, activation), keras.layers.Dense(1)])


def teacher_of(seed, activation="tanh"):
    teacher = network(seed, activation)
    teacher.trainable = False
    return teacher


def in_closure(teacher):
    return FunctionTerm(fn=lambda inputs, outputs: teacher(inputs) - outputs)


def in_list(teacher):
    teachers = {"all": [teacher, teacher_of(9)]}
    return FunctionTerm(fn=lambda inputs, outputs: teachers["all"][0](inputs) - outputs)


def in_global(teacher):
    names = {"TEACHER": teacher}
    exec("def taught(inputs, outputs): return TEACHER(inputs) - outputs", names)
    return FunctionTerm(fn=names["taught"])


def in_object(teacher):
    class Perceptual:
        def __init__(self):
            self.net = teacher

        def of(self, inputs, outputs):
            return self.net(inputs) - outputs

    return FunctionTerm(fn=Perceptual().of)


def in_loss(teacher):
    class Perceptual(keras.losses.Loss):
        def __init__(self):
            super().__init__()
            self.net = teacher

        def call(self, y_true, y_pred):
            return tf.square(self.net(tf.concat([y_true, y_true], axis=1)) - y_pred)

    return KerasLoss(loss=Perceptual())


@pytest.fixture
def train(tmp_path):
    def run(model, term, steps, **settings):
        Trainer(
            model=model,
            objective=Objective(data=MeanSquaredError(), soft=term),
            optimizer=keras.optimizers.SGD(0.1),
            train=ArraySource(X, X[:, :1]),
            batch_size=4,
            steps=steps,
            workdir=tmp_path,
            default_reports=False,
            execution="graph",
            **settings,
        ).train()

    return run


PLACES = {
    in_closure: "fn.teacher",
    in_list: "fn.teachers.all.0",
    in_global: "fn.TEACHER",
    in_object: "fn.net",
    in_loss: "loss.net",
}


@pytest.mark.parametrize("held", PLACES, ids=lambda held: held.__name__)
def test_a_run_resumes_with_the_same_teacher_and_with_no_other(train, held):
    train(network(1), held(teacher_of(2)), steps=2)
    train(network(1), held(teacher_of(2)), steps=3)
    place = PLACES[held].replace(".", r"\.")
    with pytest.raises(
        ConfigurationError, match=rf"Sequential.weights \(Objective\.soft\.{place}\): digest \w+ -> dig"
    ):
        train(network(1), held(teacher_of(3)), steps=4)
    train(network(1), held(teacher_of(3)), steps=4, allow_config_change=True)


def test_a_teacher_of_other_layers_is_another_one(train):
    train(network(1), in_closure(teacher_of(2)), steps=2)
    with pytest.raises(ConfigurationError, match=r"Sequential.layers \(Objective.soft.fn.teacher\)"):
        train(network(1), in_closure(teacher_of(2, "relu")), steps=3)


def test_the_trained_model_in_a_closure_is_state(train):
    model = network(1)
    train(model, in_closure(model), steps=2)
    train(model, in_closure(model), steps=3)
    other = network(5)  # whose weights are restored
    train(other, in_closure(other), steps=4)


def test_a_layer_of_the_trained_model_is_state_and_other_weights_beside_its_own_are_not():
    model, other = network(1), network(2)
    assert describe_other_networks({"fn.head": model.layers[-1]}, model) == {}
    part = keras.Model(model.inputs, model.layers[0].output)
    assert describe_other_networks({"fn.part": part}, model)["fn.part = Functional"].keys() == {"layers"}
    both = keras.Sequential([model.layers[0], other.layers[1]])
    before = describe_other_networks({"fn.both": both}, model)
    model.layers[0].kernel.assign(tf.zeros([2, 3]))
    assert describe_other_networks({"fn.both": both}, model) == before
    other.layers[1].kernel.assign(tf.zeros([3, 1]))
    assert describe_other_networks({"fn.both": both}, model) != before


def test_a_module_of_tensorflow_counts_by_its_variables():
    module = tf.Module()
    module.scale = tf.Variable([2.0], trainable=False)
    before = describe_other_networks({"fn.module": module}, network(1))
    module.scale.assign([3.0])
    assert describe_other_networks({"fn.module": module}, network(1)) != before
