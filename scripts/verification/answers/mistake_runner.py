"""MistakeRunner: makes mistakes in a small project in a folder of its own, one after the other."""

import contextlib
import os
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import gin
import keras
import numpy as np
import tensorflow as tf

import objectives
import trainer
from objectives import ConfigurationError, Context, Objective
from termwise.cli.model_inputs import open_examples
from termwise.cli.predictions import predictions
from termwise.cli.recorded_reading import reading_of
from termwise.verification.answers.mistake import Mistake
from trainer import ArraySource, Trainer, config, load_run

RUN = """\
import my_task
Trainer.task = @MyTask()
Trainer.objective = @Objective()
Trainer.optimizer = @keras.optimizers.Adam()
Trainer.strategy = 'one_device'
Objective.data = @MeanSquaredError()
"""
TASK = """\
import functools
import gin
import keras
import numpy as np
from trainer import ArraySource, Task


@gin.register
class MyTask(Task):
    def __init__(self, units: int = 4):
        self.units = units

    @functools.cached_property
    def train(self):
        return ArraySource(np.ones([20, 3]), np.ones([20, 1]))

    @functools.cached_property
    def eval(self):
        return ArraySource(np.ones([10, 3]), np.ones([10, 1]))

    def build_model(self):
        return keras.Sequential([keras.Input([3]), keras.layers.Dense(self.units), keras.layers.Dense(1)])
"""


class MistakeRunner:
    """Makes mistakes in this process, whose working directory is the folder meanwhile."""

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        (folder / "my_task.py").write_text(TASK)

    def answer(self, mistake: Mistake) -> str | None:
        """Returns the message of the command; None if there is none, or a traceback."""
        files = {"run.gin": RUN + mistake.gin, **mistake.files}
        with self._inside(files):
            try:
                if mistake.run:
                    _train_in(self._folder / mistake.run)
                self._make(mistake)
            except ConfigurationError as error:
                return (
                    "\n".join(error.messages)
                    .replace(str(config.home.ROOT), "<Termwise>")
                    .replace(str(self._folder), "<here>")
                )
            except Exception as error:
                print(f"{mistake.what}: {type(error).__name__}: {error}", file=sys.stderr)
        return None

    def _make(self, mistake: Mistake) -> None:
        if mistake.python:
            (self._folder / "run.py").write_text(mistake.python)
            exec(compile(mistake.python, "run.py", "exec"), _namespace())
        else:
            config.load(["run.gin"], mistake.flags)
            config.build(Trainer, workdir=None)

    @contextlib.contextmanager
    def _inside(self, files: dict[str, Any]) -> Iterator[None]:
        before, paths, modules = os.getcwd(), list(sys.path), set(sys.modules)
        for name, content in files.items():
            path = self._folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.chdir(self._folder)
        try:
            yield
        finally:
            os.chdir(before)
            gin.clear_config()
            sys.path[:] = paths
            for name in set(sys.modules) - modules - {"my_task"}:
                if str(getattr(sys.modules[name], "__file__", "")).startswith(str(self._folder)):
                    del sys.modules[name]
            for name in set(files) - {"run.gin"}:
                (self._folder / name).unlink()


def _train_in(folder: pathlib.Path) -> None:
    """Trains the working gin file in a folder, unless that is done."""
    if not folder.exists():
        short = ("Trainer.steps = 4", "Trainer.execution = 'graph'", "Trainer.default_reports = False")
        config.load(["run.gin"], short)
        config.build(Trainer, workdir=folder).train()
        gin.clear_config()


def _namespace() -> dict[str, Any]:
    """Returns the names that the code of a mistake may use: libraries, and functions to train, trace and predict."""
    names = {**vars(objectives), **vars(objectives.schedules), **vars(trainer)}
    own = {"train": _train, "dry_run": _dry_run, "trace": _trace, "predict": _predict}
    return {**names, "keras": keras, "np": np, "tf": tf, **own}


def _train(**changed: Any) -> Trainer:
    """Makes a trainer from working arguments, except for those that are changed."""
    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(1, name="head")], name="model")
    working = {
        "model": model,
        "objective": Objective(data=objectives.MeanSquaredError()),
        "optimizer": keras.optimizers.SGD(0.1),
        "train": ArraySource(np.ones([20, 3]), np.ones([20, 1])),
        "strategy": "one_device",
    }
    return Trainer(**{**working, **changed})


def _dry_run(**changed: Any) -> None:
    """Makes a trainer and checks everything that it would train with."""
    _train(execution="graph", **changed).dry_run()


def _trace(**terms: Any) -> None:
    """Traces terms as a step does, on a batch of 4 examples of 3 inputs and an output."""
    objective = Objective(**terms)

    @tf.function(autograph=False)
    def step(inputs, outputs, number):
        context = Context(inputs=inputs, targets=outputs, outputs=outputs, step=number)
        return [mean.result() for mean in objective.means(context).values()], objective.weights(number)

    step(tf.ones([4, 3]), tf.ones([4, 1]), tf.constant(0, tf.int64))


def _predict(folder: str, inputs: str, output: str) -> None:
    """Opens what `termwise predict` opens, for `--inputs` and `--output`."""
    run = load_run(folder)
    examples = open_examples(pathlib.Path(inputs).absolute(), run.signature.inputs, reading_of(run))
    shapes = {name: tuple(spec.shape) for name, spec in run.signature.outputs.items()}
    with predictions(pathlib.Path(output).absolute(), size=examples.size, outputs=shapes):
        pass
