"""Strict JSON: whatever a run leaves is read by a parser that knows no NaN."""

import json
import math

import numpy as np
import pytest

from objectives import FunctionTerm, MeanSquaredError, Objective
from trainer import ArraySource
from trainer.checkpoints.checkpoints import Checkpoints
from trainer.executions.non_finite import NonFiniteError
from trainer.recovery.autopsy import read_step
from trainer.reports import JsonLines, jsonl


def refuse(word):
    raise AssertionError(f"{word} is no JSON")


@pytest.mark.slow
def test_every_file_of_a_run_with_numbers_that_are_not_finite(make_trainer, data, tmp_path):
    x = data["x"].copy()
    x[17, 1] = np.nan
    infinite = FunctionTerm(fn=lambda y_pred: y_pred * np.float32(np.inf), weight=0.0)
    with pytest.raises(NonFiniteError):
        make_trainer(
            objective=Objective(data=MeanSquaredError(), infinite=infinite),
            train=ArraySource(x, data["y"], shuffle=False),
            eval=ArraySource(data["x"], data["y"]),
            batch_size=5,
            workdir=tmp_path,
            reports=[JsonLines(tmp_path)],
            steps=4,
            log_every=1,
            eval_every=1,
            checkpoint_every=1,
        ).train()
    files = [*tmp_path.rglob("*.json"), *tmp_path.rglob("*.jsonl")]
    assert {"step.json", "progress.json", "settings.json", "environment.json", "metrics.jsonl"} <= {
        f.name for f in files
    }
    for path in files:
        text = path.read_text()
        for part in text.splitlines() if path.suffix == ".jsonl" else [text]:
            json.loads(part, parse_constant=refuse)
    assert all(math.isnan(line.values["terms/infinite/raw"]) for line in jsonl.read(tmp_path))
    assert all(math.isnan(c.value("terms/infinite/raw")) for c in Checkpoints(tmp_path / "checkpoints").all())
    (autopsy,) = (tmp_path / "autopsy").iterdir()
    assert math.isnan(read_step(autopsy)["values"]["loss/total"])
