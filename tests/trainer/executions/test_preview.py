"""What is known of a run before its first step: what is read, parameters, memory, the time of a step."""

import keras
import numpy as np
import pytest

from objectives import ActivationPenalty, MeanSquaredError, Objective
from trainer import Metrics
from trainer.executions.preparation import Preparation
from trainer.executions.preview import Trained, find_reads, parameters_of, trained_by


def test_variables_that_layers_share_are_counted_once_and_those_of_the_model_itself_last():
    class Scaled(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(3, name="first")
            self.same = self.first
            self.scale = self.add_weight(shape=(), name="scale")
            self.norm = keras.layers.BatchNormalization(name="norm")

        def call(self, inputs):
            return self.norm(self.scale * self.first(inputs))

    model = Scaled()
    model(np.ones([1, 2]))
    found = [(one.layer, one.trained, one.fixed) for one in parameters_of(model, model.trainable_variables)]
    assert found == [("first", 9, 0), ("norm", 6, 6), ("", 1, 0)]
    assert sum(one.trained + one.fixed for one in parameters_of(model, [])) == model.count_params()


def test_what_a_player_updates_is_what_of_its_own_is_trained():
    kernel, bias, other = (keras.Variable(np.zeros(shape)) for shape in ([2, 3], [3], [5]))
    assert trained_by({None: [kernel]}, [kernel]) == {}
    found = trained_by({"a": [kernel, bias], "b": [other]}, [kernel, other])
    assert found == {"a": Trained(variables=1, parameters=6), "b": Trained(variables=1, parameters=5)}


def test_what_is_read_has_the_shapes_of_a_batch_and_a_star_is_all_that_it_matches(make_program, dense_model):
    objective = Objective(data=MeanSquaredError(), small=ActivationPenalty(activation="activations.*"))
    program = make_program(model=dense_model(), objective=objective)
    readers = {"outputs": ["data"], "targets": ["data"], "activations.*": ["small"]}
    reads, sizes = find_reads(program.step.forward, program.data.train_feed, readers)
    by_key = {one.key: one for one in reads}
    assert (reads[0].key, reads[0].readers) == ("inputs", ("the model",))
    assert by_key["outputs"].readers == by_key["targets"].readers == ("data",)
    starred = [one for one in reads if one.readers == ("small",)]
    assert starred
    assert all(one.key.startswith("activations.") and "*" not in one.key for one in starred)
    assert {one.shape[0] for one in reads} == {reads[0].shape[0]}
    outputs = [by_key["outputs"], *starred]
    assert sizes["outputs of layers"] == sum(4 * int(np.prod(one.shape)) for one in outputs)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_a_preview_is_right_about_memory_and_changes_nothing(make_full_program, count):
    program, model = make_full_program(count, metrics=Metrics())
    before = program.training_state.arrays()
    preview = Preparation(program).preview(0)
    for name, array in program.training_state.arrays().items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    weights = sum(array.nbytes for array in model.get_weights())
    assert preview.memory["weights"] == weights
    assert preview.memory["gradients"] <= weights
    assert preview.memory["state of the optimizer"] >= 2 * preview.memory["gradients"]
    assert preview.memory["resident examples"] >= preview.memory["a batch"] > 0
    assert preview.replicas == count
    assert 0 < preview.step_seconds < 5
    assert 0 < preview.gradients_seconds < 5
    assert {tag.split("/")[-1] for tag in preview.gradients if tag.startswith("terms/")} == {"grad_norm", "grad_cosine"}
    np.testing.assert_array_equal(
        program.train(first_step=0, steps=3), make_full_program(count)[0].train(first_step=0, steps=3)
    )
