"""Evaluated: what decides the values of an evaluation, as a digest for each part, so that others can be told apart."""

import hashlib
import json
from collections.abc import Mapping

import keras

from objectives import Objective
from trainer.checkpoints.best import EVALUATION_DATA, MEASURES, OBJECTIVE
from trainer.feeds.sources import Source
from trainer.metrics.metrics import Metrics
from trainer.settings.after_training import measuring_methods
from trainer.settings.changes import describe_one
from trainer.task import Task

# The order of examples changes no evaluation.
_ORDER = "shuffle"


def describe_evaluated(
    objective: Objective,
    metrics: Metrics | None,
    eval: Source | None,
    model: keras.Model,
    task: Task | None = None,
) -> dict[str, str]:
    """Returns a digest of the evaluation data, the objective, each metric, such as `metrics/auc`, and the measures.

    The model that is trained is no part of it, even where a term holds it.

    >>> from objectives import MeanSquaredError
    >>> described = describe_evaluated(Objective(data=MeanSquaredError()), None, None, keras.Sequential())
    >>> [*described], len(described["objective"])
    (['objective'], 12)
    """
    named = (metrics or Metrics()).metrics
    return {
        **({} if eval is None else {EVALUATION_DATA: _digest(_of_data(eval))}),
        OBJECTIVE: _digest(describe_one("objective", objective, model)),
        **{f"metrics/{name}": _digest(describe_one(name, metric, model)) for name, metric in named.items()},
        **({} if task is None else {MEASURES: _digest(_of_measures(task, model))}),
    }


def _of_data(source: Source) -> Mapping[str, str]:
    return {name: text for name, text in source.record().items() if not name.endswith(_ORDER)}


def _of_measures(task: Task, model: keras.Model) -> Mapping[str, object]:
    return {name: describe_one(name, method, model) for name, method in measuring_methods(task).items()}


def _digest(described: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:12]
