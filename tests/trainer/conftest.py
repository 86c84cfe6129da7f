"""Small models, data, terms and trainers that the tests of this folder share."""

import collections
import dataclasses
import os
import signal
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

import objectives as o
from objectives import (
    ActivationPenalty,
    FunctionTerm,
    Key,
    MeanSquaredError,
    Objective,
    RangeHinge,
    WeightPenalty,
    schedules,
)
from trainer import ArraySource, Trainer
from trainer.devices.strategy import mirrored
from trainer.reports import Report
from trainer.steps.variables.operations import operations


@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightDecay(WeightPenalty):
    """Mean square of a variable: a term that reads no batch."""

    variable: Key = "weights.hidden/kernel"

    def values(self, variable):
        return tf.square(variable)


class Noisy(keras.layers.Layer):
    """Adds noise in evaluation too, as a variational model does."""

    def __init__(self):
        super().__init__()
        self.generator = keras.random.SeedGenerator(1)

    def call(self, inputs):
        return inputs + keras.random.normal(tf.shape(inputs), seed=self.generator)


@dataclasses.dataclass
class Recorder(Report):
    """Keeps everything that a run reports."""

    lines: list = dataclasses.field(default_factory=list)
    calls: list = dataclasses.field(default_factory=list)
    ended: list = dataclasses.field(default_factory=list)
    run: object = None

    def start(self, run):
        self.run = run
        self.calls.append("start")

    def write(self, lines):
        self.lines += lines
        self.calls.append("write")

    def advance(self, step, steps_per_second):
        self.calls.append("advance")

    def flush(self):
        self.calls.append("flush")

    def end(self, outcome):
        self.ended.append(outcome)

    def close(self):
        self.calls.append("close")

    def column(self, tag, split="train"):
        """The values of one tag, line by line."""
        return [line.values[tag] for line in self.lines if line.split == split]

    def steps(self, split="train"):
        return [line.step for line in self.lines if line.split == split]


class Sends(Report):
    """Sends this process a signal when the first line of so many steps is written."""

    def __init__(self, step, number=signal.SIGTERM):
        self._step, self._number = step, number

    def write(self, lines):
        if self._step and lines.last.step >= self._step:
            self._step = None
            os.kill(os.getpid(), self._number)


@pytest.fixture
def sends():
    """Makes a report that sends a signal at a step, once."""
    return Sends


@pytest.fixture
def weight_decay():
    return WeightDecay


@pytest.fixture
def noisy():
    return Noisy


@pytest.fixture
def guarded(monkeypatch):
    """Has steps of any size leave out updates that would not be finite themselves."""
    monkeypatch.setattr("trainer.steps.guarded.COPIED_BYTES", 0)


@pytest.fixture(params=["copied", "guarded"])
def either_way(request):
    """Has what is not finite be undone behind a chunk, and be left out by the step itself."""
    if request.param == "guarded":
        request.getfixturevalue("guarded")


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def data():
    """20 examples with targets, a mask for each target and a weight for each example; not one count is even."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 3)).astype(np.float32)
    y = np.stack([x.sum(axis=1), x[:, 0] * x[:, 1]], axis=1)
    mask = (rng.random((20, 2)) < 0.6).astype(np.float32)
    factor = rng.uniform(0.2, 3.0, 20).astype(np.float32)
    return {"x": x, "y": y, "mask": mask, "factor": factor}


@pytest.fixture
def source(data):
    """The data with its masks and weights, where all a term may read is to be read."""
    targets = {"y": data["y"], "mask": data["mask"]}
    return ArraySource({"x": data["x"]}, targets, sample_weight=data["factor"])


@pytest.fixture
def plain_source(data):
    return ArraySource(data["x"], data["y"])


@pytest.fixture
def dense_model():
    """Makes a model of two dense layers, always of the same first weights."""

    def make(*between: Callable[[], keras.Layer], seed: int = 1) -> keras.Model:
        keras.utils.set_random_seed(seed)
        inputs = keras.Input([3], name="x")
        hidden = keras.layers.Dense(4, activation="tanh", name="hidden")(inputs)
        for make_layer in between:  # made here: a random layer takes its seed from the one just set
            hidden = make_layer()(hidden)
        return keras.Model(inputs, keras.layers.Dense(2, name="head")(hidden))

    return make


@pytest.fixture
def dict_model(dense_model):
    """Makes the dense model with a dict for input and for output."""

    def make() -> keras.Model:
        model = dense_model()
        return keras.Model({"x": model.input}, {"y": model.output})

    return make


@pytest.fixture
def objective():
    """A plain error and a small activation."""
    return Objective(
        data=MeanSquaredError(),
        small=ActivationPenalty(activation="activations.hidden", norm="l2", weight=0.1),
    )


@pytest.fixture
def starred():
    """Terms whose keys hold stars: masked, weighted and averaged hidden layers, and all kernels."""
    hidden = {"norm": "l2", "mask": "targets.some", "sample_weight": "sample_weight", "average": "examples"}
    return Objective(
        data=MeanSquaredError(y_true="targets.y"),
        decay=o.WeightDecay(weight=0.01),
        small=ActivationPenalty(activation="activations.hidden*", weight=0.3, **hidden),
    )


@pytest.fixture
def written_out():
    """The terms of `starred`, each tensor by itself."""
    hidden = {"norm": "l2", "mask": "targets.some", "sample_weight": "sample_weight", "average": "examples"}
    kernels = {f"decay_{name}": f"weights.{name}/kernel" for name in ("hidden", "hidden_two", "head")}
    layers = {f"small_{name}": f"activations.{name}" for name in ("hidden", "hidden_two")}
    return Objective(
        data=MeanSquaredError(y_true="targets.y"),
        **{name: o.WeightDecay(variables=key, weight=0.01) for name, key in kernels.items()},
        **{name: ActivationPenalty(activation=key, weight=0.15, **hidden) for name, key in layers.items()},
    )


@pytest.fixture
def some(data):
    """The data with a mask over examples, and a weight for each."""
    targets = {"y": data["y"], "some": (np.arange(20) % 3 > 0).astype(np.float32)}
    return ArraySource(data["x"], targets, sample_weight=data["factor"])


@pytest.fixture
def every_reading(weight_decay):
    """Terms that are masked, weighted, scheduled, without a batch, and of weight 0."""
    return Objective(
        masked=MeanSquaredError(y_true="targets.y", y_pred="outputs.y", mask="targets.mask"),
        weighted=FunctionTerm(
            fn=lambda a, b: tf.abs(a - b),
            keys_of={"a": "targets.y", "b": "outputs.y"},
            sample_weight="sample_weight",
            weight=0.5,
        ),
        scheduled=ActivationPenalty(
            activation="activations.hidden", norm="l2", weight=schedules.Linear(first=1.0, last=0.0, steps=4)
        ),
        decay=weight_decay(weight=0.3),
        watched=RangeHinge(y_pred="outputs.y", max_value=0.1, min_value=-0.1, weight=0.0),
    )


@pytest.fixture
def replicas():
    """Makes a strategy over the first n devices."""
    return lambda count: mirrored([f"CPU:{i}" for i in range(count)])


@pytest.fixture
def crossings():
    """Counts the tensors that go from a device to another one in a traced function, by the numbers of both."""

    def count(traced):
        ways = {
            (tensor.name, tensor.device[-1], one.made.device[-1])
            for one in operations(traced)
            for tensor in one.made.inputs
            if tensor.device and one.made.device and tensor.device != one.made.device
        }
        return collections.Counter((start, end) for _, start, end in ways)

    return count


@pytest.fixture
def make_trainer(dense_model, objective, plain_source, replicas):
    """Makes a trainer of small, quickly traced settings, each of which may be given."""

    def make(**settings) -> Trainer:
        settings = {
            "objective": objective,
            "optimizer": keras.optimizers.SGD(0.1),
            "train": plain_source,
            "strategy": replicas(1),
            "execution": "graph",
            "batch_size": 7,
            "steps": 5,
            "default_reports": False,
            **settings,
        }
        settings.setdefault("model", dense_model())
        return Trainer(**settings)

    return make


@pytest.fixture
def make_program(make_trainer):
    """Makes the program of a trainer, to run single chunks of it."""
    return lambda **settings: make_trainer(**settings)._run.program


@pytest.fixture
def make_full_program(make_program, dict_model, every_reading, source, replicas):
    """Makes a program of all that terms can read, over so many replicas, with Adam; and its model."""

    def make(count=1, **settings):
        model = dict_model()
        settings = {"train": source, "eval": source, "optimizer": keras.optimizers.Adam(0.01), **settings}
        return make_program(model=model, objective=every_reading, strategy=replicas(count), **settings), model

    return make


@pytest.fixture
def report(make_trainer, recorder):
    """Trains with a recorder as the only report."""

    def run(**settings):
        trainer = make_trainer(reports=[recorder], **settings)
        recorder.result = trainer.train()
        return recorder

    return run


@pytest.fixture
def stop_at(recorder):
    """Makes a report that ends the run, with a ReportError, once so many steps were written."""

    def make(step):
        def write(lines):
            if lines.last.step >= step:
                raise ConnectionError

        recorder.write = write
        return recorder

    return make
