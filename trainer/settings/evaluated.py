"""Evaluated: what decides the values of an evaluation, as a digest for each part, so that others can be told apart."""

import hashlib
import json
from collections.abc import Mapping

import keras

from objectives import Objective
from trainer.checkpoints.best import EVALUATION_DATA, OBJECTIVE
from trainer.feeds.sources import Source
from trainer.metrics.metrics import Metrics
from trainer.settings.changes import describe_one

# The order of examples changes no evaluation.
_ORDER = "shuffle"


def describe_evaluated(
    objective: Objective, metrics: Metrics | None, eval: Source | None, model: keras.Model
) -> dict[str, str]:
    """Returns a digest of the evaluation data, of the objective, and of each metric, such as `metrics/auc`.

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
    }


def _of_data(source: Source) -> Mapping[str, str]:
    return {name: text for name, text in source.record().items() if not name.endswith(_ORDER)}


def _digest(described: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:12]
