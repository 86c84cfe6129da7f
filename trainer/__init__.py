"""How an objective is optimised: the step, the loop, the data, the devices, checkpoints and reports."""

from trainer.datasets import DatasetSource as DatasetSource
from trainer.interruption import Interrupted as Interrupted
from trainer.sources import ArraySource as ArraySource
from trainer.sources import Source as Source
from trainer.task import Task as Task
from trainer.trainer import Trainer as Trainer
