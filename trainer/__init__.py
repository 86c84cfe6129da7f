"""How an objective is optimised: the step, the loop, the data, the devices, checkpoints and reports."""

import objectives  # noqa: F401  # isort: skip (first: it sees to the backend of Keras)

from trainer.executions.non_finite import NonFiniteError as NonFiniteError
from trainer.feeds.datasets import DatasetSource as DatasetSource
from trainer.feeds.files.csv import CsvSource as CsvSource
from trainer.feeds.files.image_folder import ImageFolderSource as ImageFolderSource
from trainer.feeds.files.npz import NpzSource as NpzSource
from trainer.feeds.files.tfds import TfdsSource as TfdsSource
from trainer.feeds.files.tfrecord import TFRecordSource as TFRecordSource
from trainer.feeds.mixed import MixedSource as MixedSource
from trainer.feeds.sources import ArraySource as ArraySource
from trainer.feeds.sources import Source as Source
from trainer.measure import Measure as Measure
from trainer.metrics.confusion_matrix import ConfusionMatrix as ConfusionMatrix
from trainer.metrics.function_metric import FunctionMetric as FunctionMetric
from trainer.metrics.keras_metric import KerasMetric as KerasMetric
from trainer.metrics.metric import Metric as Metric
from trainer.metrics.metrics import Metrics as Metrics
from trainer.metrics.precision_recall_curve import PrecisionRecallCurve as PrecisionRecallCurve
from trainer.model_of_parts import model_of_parts as model_of_parts
from trainer.objective_model import ObjectiveModel as ObjectiveModel
from trainer.running.interruption import Interrupted as Interrupted
from trainer.saved.networks import load_model as load_model
from trainer.saved.saved_run import SavedRun as SavedRun
from trainer.saved.saved_run import load_run as load_run
from trainer.settings.length import run_steps as run_steps
from trainer.steps.optimizer_groups import OptimizerGroup as OptimizerGroup
from trainer.steps.phases import TrainableFrom as TrainableFrom
from trainer.steps.players import Player as Player
from trainer.steps.players import Players as Players
from trainer.steps.train_step import Gradients as Gradients
from trainer.steps.train_step import TrainStep as TrainStep
from trainer.task import Task as Task
from trainer.trainer import Trainer as Trainer
