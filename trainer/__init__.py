"""How an objective is optimised: the step, the loop, the data, the devices, checkpoints and reports."""

import objectives  # noqa: F401  # isort: skip (first: it sees to the backend of Keras)

from trainer.feeds.datasets import DatasetSource as DatasetSource
from trainer.feeds.sources import ArraySource as ArraySource
from trainer.feeds.sources import Source as Source
from trainer.interruption import Interrupted as Interrupted
from trainer.length import run_steps as run_steps
from trainer.task import Task as Task
from trainer.trainer import Trainer as Trainer
