"""Evaluated: what changes the values of an evaluation changes a digest, and nothing else does."""

import keras
import numpy as np
import pytest

from objectives import MeanSquaredError, Objective
from trainer import ArraySource, FunctionMetric, Metrics, Task
from trainer.settings.evaluated import describe_evaluated

MODEL = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])


def described(weight=1.0, data=1.0, shuffle=True, **metrics):
    source = ArraySource(np.full([4, 2], data, np.float32), np.ones([4, 1], np.float32), shuffle=shuffle)
    return describe_evaluated(Objective(data=MeanSquaredError(weight=weight)), Metrics(**metrics), source, MODEL)


def changed(before, now):
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def test_the_same_made_anew_has_the_same_digests():
    first, second = (described(auc=keras.metrics.AUC()) for _ in range(2))
    assert [*first] == ["evaluation data", "objective", "metrics/auc"]
    assert first == second == described(auc=keras.metrics.AUC(), shuffle=False)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"weight": 2.0}, ["objective"]),
        ({"data": 2.0}, ["evaluation data"]),
        ({"auc": keras.metrics.AUC(num_thresholds=9)}, ["metrics/auc"]),
        ({"auc": FunctionMetric(fn=lambda y_true, y_pred: y_true - y_pred)}, ["metrics/auc"]),
        ({"other": keras.metrics.AUC()}, ["metrics/other"]),
    ],
)
def test_each_part_has_a_digest_of_its_own(settings, expected):
    assert (
        changed(described(auc=keras.metrics.AUC()), described(**{"auc": keras.metrics.AUC(), **settings})) == expected
    )


def test_without_evaluation_data_there_is_no_digest_of_them():
    assert [*describe_evaluated(Objective(data=MeanSquaredError()), None, None, MODEL)] == ["objective"]


class Judged(Task):
    """A task whose measures a test changes."""

    train = eval = build_model = None

    def measure(self, model):
        return {"error": self._error()}

    def _error(self):
        return 0.0


@pytest.mark.parametrize("name", ["measure", "_error", "draw"])
def test_measures_have_the_digest_of_the_code_that_takes_them(monkeypatch, name):
    def of_task():
        return describe_evaluated(Objective(data=MeanSquaredError()), None, None, MODEL, Judged())

    before = of_task()
    monkeypatch.setattr(Judged, name, lambda self, *_: {"error": 1.0})
    assert changed(before, of_task()) == ([] if name == "draw" else ["measures"])
