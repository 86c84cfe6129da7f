"""Run: a random configuration as a run of the trainer, stopped and resumed if it says so."""

import contextlib
import os
import pathlib
import signal
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import keras

from termwise.verification.fuzzing.callbacks import callbacks_of
from termwise.verification.fuzzing.configurations import STEPS, Configuration
from termwise.verification.fuzzing.metrics import metrics_of
from termwise.verification.fuzzing.models import Built, build
from termwise.verification.fuzzing.optimizers import optimizers_of, settings_of
from termwise.verification.fuzzing.phases import trainable_of
from termwise.verification.fuzzing.sources import Parts, source_of
from termwise.verification.fuzzing.terms import objective_of
from trainer import Interrupted, Trainer
from trainer.devices.strategy import mirrored
from trainer.feeds.sources import Source
from trainer.reports import Report
from trainer.reports.log import LogRecords
from trainer.steps.precision import building_in

# What a configuration chooses by the names of the trainer's settings.
_SETTINGS = (
    *("batch_size", "execution", "chunk_steps", "accumulate_steps", "precision", "clip_norm", "non_finite"),
    *("eval_every", "average_momentum", "balancer"),
)


class Recorder(Report):
    """Keeps the values of each step by tag, and those of the evaluations at a step in their order.

    Attributes:
      signals_at: at which step it sends SIGTERM to this process, once; None for none.
    """

    signals_at: int | None = None

    def __init__(self) -> None:
        self.values: dict[int, Mapping[str, float]] = {}
        self.evaluations: dict[int, list[Mapping[str, float]]] = defaultdict(list)

    def write(self, lines: LogRecords) -> None:
        for line in lines:
            if line.split == "train":
                self.values[line.step] = line.values
            else:
                self.evaluations[line.step].append(line.values)
        if self.signals_at is not None and lines.last.step >= self.signals_at:
            self.signals_at = None
            os.kill(os.getpid(), signal.SIGTERM)


class Run:
    """The configuration as a run of the trainer.

    Attributes:
      built: the model that trains.
      trainer: the trainer, after a stop the second.
      callbacks: those that were called last.
      source: the training data.
      recorder: all that was reported.
    """

    built: Built
    trainer: Trainer
    callbacks: list[keras.callbacks.Callback]
    source: Source

    def __init__(self, configuration: Configuration, trained: Parts, held_out: Parts, folder: pathlib.Path):
        self._configuration, self.folder = configuration, folder / "run"
        self._trained, self._held_out, self._files = trained, held_out, folder
        self.recorder = Recorder()
        self._begin()
        self.trainer.dry_run()

    def train(self) -> None:
        """Trains to the end, by a second trainer where the first one is stopped."""
        if self._configuration.stop:
            self._train_first()
            before, step = self.callbacks, self.trainer.step
            self._begin()
            self.trainer.train()
            if self.trainer.step == step:  # the run was over, so that no others were called
                self.callbacks = before
        else:
            self.trainer.train()

    def _train_first(self) -> None:
        if not self._configuration.signalled:
            self.trainer.train(until=self._configuration.stop)
            return
        self.recorder.signals_at = self._configuration.stop
        with contextlib.suppress(Interrupted):
            self.trainer.train()

    def _begin(self) -> None:
        self.callbacks = callbacks_of(self._configuration)
        self.built = new_model(self._configuration)
        self.trainer = self.made(self.built, workdir=self.folder, callbacks=self.callbacks, reports=[self.recorder])

    def made(self, built: Built, **more: Any) -> Trainer:
        """Makes a trainer of a model with the settings of the run."""
        configuration = self._configuration
        chosen: dict[str, Any] = {name: getattr(configuration, name) for name in _SETTINGS}
        self.source = source_of(configuration, self._trained, self._files / "trained")
        return Trainer(
            model=built.model,
            objective=objective_of(configuration, built.key),
            metrics=metrics_of(configuration, built.key),
            trainable=trainable_of(configuration),
            train=self.source,
            eval=source_of(configuration, self._held_out, self._files / "held_out"),
            steps=STEPS,
            log_every=1,
            strategy=mirrored([f"CPU:{i}" for i in range(configuration.replicas)]),
            allow_unreached=True,
            default_reports=False,
            **settings_of(optimizers_of(configuration)),
            **{**chosen, **more},
        )


def new_model(configuration: Configuration) -> Built:
    """Returns the model with its first weights, the same each time."""
    keras.utils.set_random_seed(configuration.seed)
    with building_in(configuration.precision):
        return build(configuration.kind)
