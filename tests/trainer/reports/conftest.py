"""A run of two terms and its lines, as the trainer would hand them to reports."""

import pytest

from trainer.reports import Run
from trainer.reports.log import LogRecord, LogRecords


def values(step):
    raw = {"data": 1.0 / step, "small": 2.0 + step}
    weights = {"data": 1.0, "small": 0.1}
    found = {f"terms/{name}/raw": raw[name] for name in raw}
    found |= {f"terms/{name}/weight": weights[name] for name in raw}
    found |= {f"terms/{name}/weighted": raw[name] * weights[name] for name in raw}
    return {"loss/total": sum(raw[name] * weights[name] for name in raw), **found}


@pytest.fixture
def run():
    """Makes what reports receive at the start."""

    def make(**settings):
        settings = {"terms": ("data", "small"), "steps": 40, "config": "A.b = 1\nA.c = '*x*'", **settings}
        return Run(**settings)

    return make


@pytest.fixture
def train_line():
    return lambda step: LogRecords.of(LogRecord("train", step, {**values(step), "speed/steps_per_second": 100.0}))


@pytest.fixture
def eval_line():
    return lambda step: LogRecords.of(LogRecord("eval", step, values(step)))
