"""A run that gin files described, with a module of the reader's own."""

import shutil
import sys

import pytest

from trainer import Trainer, config

MODULE = """
import dataclasses, functools
import gin, keras, numpy as np
from trainer import ArraySource, Task


@gin.register(module="saved_run_task")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Sums(Task):
    examples: int = 20

    @functools.cached_property
    def train(self):
        x = np.random.default_rng(0).normal(size=[self.examples, 3]).astype("float32")
        return ArraySource({"x": x}, x.sum(axis=1, keepdims=True))

    @functools.cached_property
    def eval(self):
        x = np.random.default_rng(1).normal(size=[11, 3]).astype("float32")
        return ArraySource({"x": x}, x.sum(axis=1, keepdims=True))

    def build_model(self):
        x = keras.Input([3], name="x")
        hidden = keras.layers.BatchNormalization()(keras.layers.Dense(4, activation="tanh", name="hidden")(x))
        return keras.Model({"x": x}, keras.layers.Dense(1, name="head")(keras.layers.Dropout(0.5)(hidden)))

    def measure(self, model):
        return {"bias": float(model.get_layer("head").bias.numpy()[0])}
"""

GIN = """
import saved_run_task
Trainer.task = @Sums()
Trainer.objective = @Objective()
Trainer.optimizer = @keras.optimizers.Adam()
keras.optimizers.Adam.learning_rate = 0.05
Trainer.steps = 6
Trainer.batch_size = 8
Trainer.log_every = 3
Trainer.eval_every = 3
Trainer.checkpoint_every = 3
Trainer.average_momentum = 0.5
Trainer.execution = 'graph'
Trainer.strategy = 'one_device'
Trainer.best = 'terms/data/raw'
Objective.data = @MeanSquaredError()
Objective.small = @ActivationPenalty()
ActivationPenalty.activation = 'activations.hidden'
ActivationPenalty.weight = @Linear()
Linear.steps = 10
"""


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The folder of a finished run; its module is neither in the working directory nor beside the folder."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "saved_run_task.py").write_text(MODULE)
    (folder / "run.gin").write_text(GIN)
    with config.isolated():
        config.load([str(folder / "run.gin")], [])
        config.build(Trainer, workdir=folder / "runs" / "sums").train()
    sys.path.remove(str(folder))
    return folder / "runs" / "sums"


@pytest.fixture
def run_folder(trained, tmp_path):
    """A copy of the run in another folder, as if it was moved."""
    shutil.copytree(trained, tmp_path / "moved" / "sums")
    return tmp_path / "moved" / "sums"
