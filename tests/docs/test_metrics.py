"""The page about metrics: its command and its program give the numbers that it promises."""

import re

import keras
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf

import trainer
from objectives import KerasLoss
from trainer import Metrics
from trainer.metrics.fetching import Fetched
from trainer.reports import jsonl

PAGE = "metrics.md"

pytestmark = pytest.mark.slow


def test_the_command_shows_keeps_and_draws_its_metrics(page):
    (command,) = page.commands
    small = ["SceneSegmentation.train_scenes = 64", "SceneSegmentation.eval_scenes = 40", "Trainer.steps = 4"]
    small += ["Trainer.gradients_every = None", "Trainer.execution = 'graph'"]
    printed = page.command(command, small)
    values = jsonl.read(page.folder / "runs" / "metrics")[-1].values
    assert values["metrics/confusion/accuracy"] > 0
    assert f"border: {values['metrics/border']:.5g}" in printed
    # The task measures the same on its own.
    (percent,) = re.findall(r"^mean_iou_percent: ([\d.]+)$", printed, re.MULTILINE)
    assert values["metrics/iou"] == pytest.approx(float(percent) / 100, abs=1e-3)
    pictures = page.folder / "runs" / "metrics" / "pictures" / "metrics"
    assert sorted(path.name for path in pictures.iterdir()) == ["confusion.json", "confusion.png"]
    assert "pictures/metrics/confusion.png" in printed


def test_the_program_prints_its_metrics(page):
    printed = page.run("my_metrics.py")
    found = {name: float(value) for name, value in re.findall(r"^metrics/(\S+): ([\d.]+)$", printed, re.MULTILINE)}
    assert sorted(found) == ["accuracy", "auc", "brier", "confusion/accuracy", "confusion/balanced_accuracy"]
    assert found["auc"] > 0.7
    assert found["accuracy"] == found["confusion/accuracy"]


def test_each_column_of_outputs_gives_the_same_numbers_of_a_yes_or_no(page):
    section = page.text.partition("## A yes or no")[2].partition("##")[0]
    lines = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    _, losses, *rows = ([cell.strip(" `") for cell in line.split("|")] for line in lines)
    assert [name for name, *_ in rows] == [
        "accuracy",
        "area under the curve",
        "confusion matrix",
        "precision and recall",
    ]
    rng = np.random.default_rng(0)
    logits = rng.normal(size=[500, 2]).astype(np.float32)
    one = logits[:, 1:] - logits[:, :1]
    targets = (one[:, 0] + rng.normal(size=500) > 0).astype(np.float32)
    names, found = {**vars(keras.metrics), **vars(trainer)}, []
    for column, y_pred in enumerate([one, tf.sigmoid(one), logits, tf.nn.softmax(logits)], start=1):
        metrics = Metrics(**{f"m{row}": eval(cells[column], names) for row, cells in enumerate(rows)})
        fetched = Fetched({"targets": tf.constant(targets), "outputs": tf.constant(y_pred)}, {}, None)
        metrics.prepare(fetched)
        loss = KerasLoss(loss=eval(losses[column], {**vars(keras.losses)}))(y_true=targets, y_pred=y_pred)
        found.append({"loss": float(loss), **metrics.values(metrics.update(metrics.begin(), fetched))})
    for values in found[1:]:
        assert values == pytest.approx(found[0], rel=1e-4)
    assert found[0]["metrics/m1"] == pytest.approx(sklearn.metrics.roc_auc_score(targets, one), abs=2e-3)
