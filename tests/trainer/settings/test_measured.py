"""Measured: shapes that a task does not measure are refused before training, by its name and that of the tensor."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ActivationPenalty, ConfigurationError, Objective
from trainer import ArraySource, DatasetSource, Task, Trainer
from trainer.settings.measured import refuse_unmeasured_shapes

POINTS = {
    "inputs": np.zeros([6, 3], np.float32),
    "targets": {"place": np.zeros([6, 4, 2], np.float32), "kind": np.zeros([6, 1], np.float32)},
    "sample_weight": np.ones(6, np.float32),
}


class Placing(Task):
    train = eval = None
    build_model = None
    measured_shapes = {
        "targets.place": ("nodes", 2),
        "targets.kind": [(), (1,)],
        "outputs.place": ("nodes", 2),
        "sample_weight": (),
    }


def outputs(**shapes):
    return {name: keras.KerasTensor([None, *shape]) for name, shape in shapes.items()}


def refused(task=Placing, outputs=None, **changed):
    """What is told of examples of which some arrays are others, and of outputs."""
    examples = {**POINTS, **changed}
    inputs, *others = (examples.pop(name) for name in ("inputs", "targets"))
    try:
        refuse_unmeasured_shapes(task(), ArraySource(inputs, *others, **examples), outputs)
    except ConfigurationError as error:
        return [message.partition(", or Trainer.task = None, which")[0] for message in error.messages]
    return []


def test_what_a_task_is_written_for_is_taken():
    assert refused() == []
    assert refused(outputs=outputs(place=[4, 2], more=[7])) == []
    assert refused(outputs=outputs(place=[None, 2])) == []
    assert refused(sample_weight=None) == []
    assert refused(targets={"place": np.zeros([6, 9, 2]), "kind": np.zeros(6)}) == []


def test_each_other_shape_is_told_with_what_is_expected_and_what_there_is():
    places, kinds, weights = np.zeros([6, 8]), np.zeros([6, 3]), np.ones([6, 1])
    assert refused(targets={"place": places, "kind": kinds}, sample_weight=weights) == [
        f"Placing measures {key!r} as {wanted}, and the evaluation data have {found}; expected that shape"
        for key, wanted, found in (
            ("targets.place", "[examples, nodes, 2]", "[examples, 8]"),
            ("targets.kind", "[examples] or [examples, 1]", "[examples, 3]"),
            ("sample_weight", "[examples]", "[examples, 1]"),
        )
    ]


def test_an_axis_of_one_name_has_one_length():
    assert refused(outputs=outputs(place=[5, 2])) == [
        "Placing measures 'outputs.place' as [examples, 4, 2], and the model gives [examples, 5, 2]; "
        "expected that shape"
    ]


def test_what_is_not_there_is_told_with_the_nearest_name():
    assert refused(outputs=outputs(places=[4, 2])) == [
        "Placing measures 'outputs.place' as [examples, 4, 2], which the model does not give (did you mean "
        "'outputs.places'? (known: outputs.places)); expected a model that does"
    ]
    assert refused(targets={"places": POINTS["targets"]["place"], "kind": np.zeros(6)}) == [
        "Placing measures 'targets.place' as [examples, nodes, 2], which the evaluation data of ArraySource have not "
        "(did you mean 'targets.places'? (known: inputs, sample_weight, targets.kind, targets.places)); expected data "
        "that have it"
    ]


def test_examples_that_no_array_holds_cannot_be_measured():
    source = DatasetSource(lambda: tf.data.Dataset.from_tensors((POINTS["inputs"], POINTS["targets"])))
    with pytest.raises(
        ConfigurationError, match="'targets.place' as .*, which DatasetSource does not hold as an array"
    ):
        refuse_unmeasured_shapes(Placing(), source, None)


def test_a_declaration_that_is_none_is_told_by_its_place():
    wrong = type("Wrong", (Placing,), {"measured_shapes": {"targets": [4, 2]}})
    assert refused(wrong) == [
        "Wrong.measured_shapes is {'targets': [4, 2]}; expected a dict of tuples by key, or lists of them, such as "
        "{'targets': [(), (1,)], 'outputs': (9,)}, or {} for none"
    ]


class Scaled(keras.Model):
    """A model with a call of its own, which does not tell its shapes."""

    def __init__(self):
        super().__init__()
        self.last = keras.layers.Dense(1)
        self(np.zeros([1, 3]))

    def call(self, inputs):
        return self.last(inputs)


@pytest.fixture
def trainer():
    """Makes a trainer of a model and data of a task's `measured_shapes`."""

    def make(model, source, shapes):
        return Trainer(
            task=type("Single", (Placing,), {"measured_shapes": shapes})(),
            model=model,
            train=source,
            eval=source,
            objective=Objective(data=ActivationPenalty(activation="outputs")),
            optimizer=keras.optimizers.SGD(),
            steps=1,
            batch_size=6,
            default_reports=False,
        )

    return make


@pytest.mark.parametrize("begin", [Trainer.dry_run, Trainer.train])
def test_outputs_that_a_model_does_not_tell_are_compared_before_the_first_step(begin, trainer):
    made = trainer(Scaled(), ArraySource(POINTS["inputs"]), {"outputs": ()})
    with pytest.raises(
        ConfigurationError, match=r"^Single measures 'outputs' as \[examples\], and the model gives \[exa"
    ):
        begin(made)
    assert made.step == 0


@pytest.mark.parametrize(("strides", "points"), [(1, 16), (2, 8), (16, 1)])
def test_an_axis_whose_length_a_model_does_not_tell_is_compared_as_it_is_of_the_data(strides, points, trainer):
    layers = [keras.Input([None, 2]), keras.layers.Conv1D(2, strides, strides=strides)]
    source = ArraySource(np.zeros([6, 16, 2], np.float32), np.zeros([6, 16, 2], np.float32))
    made = trainer(keras.Sequential(layers), source, {"targets": ("points", 2), "outputs": ("points", 2)})
    if points == 16:
        made.dry_run()
        return
    with pytest.raises(
        ConfigurationError, match=rf"'outputs' as \[examples, 16, 2\], and the model gives \[examples, {points}, 2\]"
    ):
        made.dry_run()


def test_settings_of_a_task_by_which_it_may_measure_what_there_is_are_named():
    @dataclasses.dataclass(frozen=True)
    class Sized(Placing):
        nodes: int = 4

    source = ArraySource(POINTS["inputs"], {**POINTS["targets"], "place": np.zeros([6, 8])})
    with pytest.raises(ConfigurationError, match=r"; expected that shape, or other settings of Sized .nodes., or Tra"):
        refuse_unmeasured_shapes(Sized(), source, None)
