"""Examples: what is shown of evaluation is what evaluation counts, on any devices, and changes nothing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ActivationPenalty, MeanSquaredError, Objective, TotalVariation, WeightDecay
from trainer import ArraySource, DatasetSource
from trainer.reports import Report


@pytest.fixture
def images():
    """20 images, and targets with a mask for each pixel."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 8, 8, 1)).astype(np.float32)
    mask = (rng.random((20, 8, 8)) < 0.7).astype(np.float32)
    return ArraySource(x, {"y": 2 * x, "mask": mask}, shuffle=False)


@pytest.fixture
def make_model():
    """Makes a model with a random layer and a normalization, always of the same first weights."""

    def make():
        keras.utils.set_random_seed(0)
        x = keras.Input([8, 8, 1])
        hidden = keras.layers.Conv2D(2, 3, strides=2, padding="same", name="hidden")(x)
        hidden = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(hidden))
        return keras.Model(x, keras.layers.Conv2DTranspose(1, 2, strides=2, name="head")(hidden))

    return make


@pytest.fixture
def settings(images):
    """Terms over pixels, examples, activations and weights."""
    return {
        "objective": Objective(
            data=MeanSquaredError(y_true="targets.y", mask="targets.mask"),
            decay=WeightDecay(weight=0.1),
            each=MeanSquaredError(y_true="targets.y", average="examples", weight=0.5),
            flat=TotalVariation(weight=0.0),
            small=ActivationPenalty(activation="activations.h*", weight=0.25),
        ),
        "train": images,
        "eval": images,
        "average_momentum": 0.5,
        "steps": 4,
        "eval_every": 2,
    }


@pytest.fixture
def pictured(make_trainer, make_model, settings):
    """Trains with a report that notes pictures; the trainer, and the pictures."""

    class Notes(Report):
        def start(self, run):
            self.pictures = []

        def picture(self, picture):
            self.pictures.append(picture)

    def run(**changed):
        notes = Notes()
        trainer = make_trainer(**{"model": make_model(), **settings, "reports": [notes], **changed})
        trainer.train()
        return trainer, notes.pictures

    return run


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_each_term_has_the_values_that_evaluation_counts(pictured, replicas, count):
    trainer, found = pictured(strategy=replicas(count), batch_size=20, examples=10)
    assert [(picture.name, picture.step) for picture in found] == [("examples", 2), ("examples", 4)]
    picture = found[-1]
    assert picture.data["examples"] == [*range(10)]
    assert [*picture.data["terms"]] == ["data", "each", "flat", "small/hidden"]
    assert {name: about["weight"] for name, about in picture.data["terms"].items()} == {
        "data": 1.0,
        "each": 0.5,
        "flat": 0.0,
        "small/hidden": 0.25,
    }
    with trainer.averaged():
        x, y, mask = (array[:10] for array in (trainer.eval.arrays["inputs"], *trainer.eval.arrays["targets"].values()))
        out = trainer.model(x).numpy()
    error = ((out - y) ** 2)[..., 0]
    expected = {
        "data": (error * mask).sum(axis=(1, 2)) / mask.sum(axis=(1, 2)),
        "each": error.mean(axis=(1, 2)),
        "flat": np.abs(np.diff(out, axis=1)).mean(axis=(1, 2, 3)) + np.abs(np.diff(out, axis=2)).mean(axis=(1, 2, 3)),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(picture.data["terms"][name]["values"], values, rtol=1e-4)
    titles = [column.title.partition("\n")[0] for column in picture.columns]
    assert titles == ["inputs", "targets.y", "targets.mask", "outputs", "data", "each", "flat", "small/hidden"]
    maps = {column.term: column.values for column in picture.columns if column.term}
    np.testing.assert_array_equal(np.isnan(maps["data"]), mask == 0)
    assert {name: values.shape for name, values in maps.items()} == {
        "data": (10, 8, 8),
        "each": (10,),
        "flat": (10, 8, 8),
        "small": (10, 4, 4),
    }


@pytest.mark.slow
def test_a_look_changes_no_bit_of_training_or_evaluation(pictured, images):
    def dataset():
        return tf.data.Dataset.from_tensor_slices((images.arrays["inputs"], images.arrays["targets"]))

    runs = [pictured(eval=DatasetSource(dataset), examples=examples) for examples in (4, None)]
    assert [len(pictures) for _, pictures in runs] == [2, 0]
    (one, other) = (trainer for trainer, _ in runs)
    assert one.evaluate() == other.evaluate()
    for variable, alone in zip(one.model.variables, other.model.variables, strict=True):
        np.testing.assert_array_equal(variable, alone)


@pytest.mark.slow
def test_examples_without_pictures_have_none(make_trainer, recorder):
    recorder.picture = None
    source = ArraySource(np.zeros([20, 3], np.float32), np.zeros([20, 2], np.float32))
    program = make_trainer(eval=source, reports=[recorder])._run.program
    assert program.evaluator.examples(0) == ()
