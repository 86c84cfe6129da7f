"""The page about metrics: its command and its program give the numbers that it promises."""

import re

import pytest

from trainer.reports import jsonl

PAGE = "metrics.md"

pytestmark = pytest.mark.slow


def test_the_command_shows_keeps_and_draws_its_metrics(page):
    (command,) = page.commands
    small = ["SceneSegmentation.train_scenes = 64", "SceneSegmentation.eval_scenes = 40", "Trainer.steps = 4"]
    small += ["Trainer.gradients_every = None"]
    printed = page.command(command, small)
    values = jsonl.read(page.folder / "runs" / "metrics")[-1].values
    assert values["metrics/confusion/accuracy"] > 0
    assert f"border: {values['metrics/border']:.5g}" in printed
    # The task measures the same on its own.
    (percent,) = re.findall(r"^mean_iou_percent: ([\d.]+)$", printed, re.MULTILINE)
    assert values["metrics/iou"] == pytest.approx(float(percent) / 100, abs=1e-3)
    pictures = page.folder / "runs" / "metrics" / "pictures" / "metrics"
    assert sorted(path.name for path in pictures.iterdir()) == ["confusion.json", "confusion.png"]


def test_the_program_prints_its_metrics(page):
    (auc,) = re.findall(r"^auc ([\d.]+), brier [\d.]+$", page.run("my_metrics.py"), re.MULTILINE)
    assert float(auc) > 0.7
