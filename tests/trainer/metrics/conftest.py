"""A model with outputs of several kinds, and data for each, that the tests of metrics share."""

import keras
import numpy as np
import pytest

from objectives import MeanSquaredError, Objective
from trainer import ArraySource
from trainer.executions.preparation import Preparation


@pytest.fixture
def examples():
    """23 examples: labels, probabilities, numbers and sequences, with masks and weights for each."""
    rng = np.random.default_rng(3)
    return {
        "x": rng.normal(size=(23, 3)).astype(np.float32),
        "binary": (rng.random((23, 1)) < 0.4).astype(np.float32),
        "label": rng.integers(0, 3, 23).astype(np.int32),
        "number": rng.normal(size=(23, 2)).astype(np.float32),
        "steps": rng.integers(0, 3, (23, 4)).astype(np.int32),
        "mask": (rng.random(23) < 0.7).astype(np.float32),
        "steps_mask": (rng.random((23, 4)) < 0.7).astype(np.float32),
        "weight": rng.uniform(0.2, 3.0, 23).astype(np.float32),
    }


@pytest.fixture
def many_outputs():
    """Makes a model with an output for each kind of target."""

    def make():
        keras.utils.set_random_seed(5)
        x = keras.Input([3])
        hidden = keras.layers.Dense(8, activation="tanh", name="hidden")(x)
        steps = keras.layers.Reshape([4, 3])(keras.layers.Dense(12, name="of_steps")(hidden))
        outputs = {
            "binary": keras.layers.Dense(1, activation="sigmoid", name="of_binary")(hidden),
            "label": keras.layers.Dense(3, activation="softmax", name="of_label")(hidden),
            "number": keras.layers.Dense(2, name="of_number")(hidden),
            "steps": keras.layers.Softmax()(steps),
        }
        return keras.Model(x, outputs)

    return make


@pytest.fixture
def measured(make_program, many_outputs, examples, replicas):
    """Evaluates metrics on all examples; returns their values by tag, and the outputs of the model."""

    def measure(metrics, *, count=1, batch_size=7, rehearsed=False, **settings):
        model = many_outputs()
        source = ArraySource(examples["x"], {name: examples[name] for name in examples if name != "x"})
        program = make_program(
            model=model,
            objective=Objective(data=MeanSquaredError(y_true="targets.number", y_pred="outputs.number")),
            train=source,
            eval=source,
            metrics=metrics,
            batch_size=batch_size,
            strategy=replicas(count),
            allow_unreached=True,
            **settings,
        )
        if rehearsed:
            Preparation(program).rehearse(0, gradients=False)
        values = program.evaluator.evaluate(0)
        return {tag: values[tag] for tag in values if tag.startswith("metrics/")}, model.predict_on_batch(examples["x"])

    return measure
