"""The page about fine-tuning: its program and its command run as they stand there."""

import re
import runpy
import sys

import gin
import numpy as np
import pytest

from trainer import Trainer, config, load_run
from trainer.reports import jsonl

PAGE = "finetuning.md"

pytestmark = pytest.mark.slow


def test_the_encoder_is_frozen_and_then_trained_at_its_own_learning_rate(page):
    printed = page.run("digits.py")
    assert (
        "2 phases, each with a step that is compiled before the first update: encoder frozen until step 200" in printed
    )
    assert float(re.search(r"that it never saw: ([\d.]+)", printed)[1]) < 0.8
    records = [record.values for record in jsonl.read(page.folder / "runs" / "digits") if record.split == "train"]
    rates = {tag: records[-1][f"optimizer/{tag}/learning_rate"] for tag in ("encoder", "rest")}
    assert rates == pytest.approx({"encoder": 1e-4, "rest": 1e-3})


def test_the_gin_file_gives_layers_of_a_task_another_learning_rate(page):
    (command,) = page.commands
    few = [
        *("TrainableFrom.step = 20", "Trainer.steps = 40", "NodePlacement.train_networks = 256"),
        "Trainer.execution = 'graph'",
    ]
    assert "hidden.* frozen until step 20" in page.command(command, few)
    (*_, record) = [record.values for record in jsonl.read(page.folder / "runs" / "parts") if record.split == "train"]
    assert record["optimizer/hidden/learning_rate"] == pytest.approx(1e-4)
    assert "optimizer/rest/learning_rate" in record


def test_a_run_begins_with_the_body_of_another_and_needs_its_file_no_more_once_it_is_saved(page, monkeypatch):
    monkeypatch.chdir(page.folder)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def trained(name):
        gin.clear_config()
        few = ["Trainer.steps = 3", "Trainer.execution = 'graph'", "Trainer.default_reports = False"]
        config.load([f"{name}.gin"], few)
        config.build(Trainer, workdir=f"runs/{name}").train()

    def weights(name, layer, **changes):
        return load_run(f"runs/{name}", **changes).model.get_layer(layer).get_weights()

    trained("first")
    runpy.run_path("save_body.py")
    trained("second")  # which ends before its body is trained
    own = weights("second", "head")
    (page.folder / "body.weights.h5").unlink()
    without = {"gin_params": ["classifier.body_weights = None"]}
    for kept, found in zip(weights("first", "body"), weights("second", "body", **without), strict=True):
        np.testing.assert_array_equal(kept, found, strict=True)
    for own_part, found in zip(own, weights("second", "head", **without), strict=True):
        np.testing.assert_array_equal(own_part, found, strict=True)
    assert not np.array_equal(own[0], weights("first", "head")[0])
