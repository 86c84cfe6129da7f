"""How an objective is optimised: the step, the loop, the data, the devices, checkpoints and reports."""

from trainer.sources import ArraySource as ArraySource
from trainer.task import Task as Task
from trainer.trainer import Trainer as Trainer
