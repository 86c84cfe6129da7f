"""The page about metrics: its command and its program give the numbers that it promises."""

import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from trainer.reports import jsonl

TEXT = (pathlib.Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
TERMWISE = "from termwise.cli.main import main; main()"  # what the console command runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder that holds the files of the page, and nothing else."""
    folder = tmp_path_factory.mktemp("reader")
    for name, content in re.findall(r'^```\w+ title="([^"]*)"\n(.*?)^```', TEXT, re.DOTALL | re.MULTILINE):
        (folder / name).write_text(content)
    return folder


def run(folder, *arguments):
    process = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_the_command_shows_keeps_and_draws_its_metrics(folder):
    (command,) = re.findall(r"^```sh\n(termwise [^`]*)\n```", TEXT, re.MULTILINE)
    small = ["SceneSegmentation.train_scenes = 64", "SceneSegmentation.eval_scenes = 40", "Trainer.steps = 4"]
    small += ["Trainer.gradients_every = None"]
    bindings = [f"--gin_param={binding}" for binding in small]
    printed = run(folder, "-c", TERMWISE, *shlex.split(command)[1:], *bindings)
    values = jsonl.read(folder / "runs" / "metrics")[-1].values
    assert values["metrics/confusion/accuracy"] > 0
    assert f"border: {values['metrics/border']:.5g}" in printed
    # The task measures the same on its own.
    (percent,) = re.findall(r"^mean_iou_percent: ([\d.]+)$", printed, re.MULTILINE)
    assert values["metrics/iou"] == pytest.approx(float(percent) / 100, abs=1e-3)
    pictures = folder / "runs" / "metrics" / "pictures" / "metrics"
    assert sorted(path.name for path in pictures.iterdir()) == ["confusion.json", "confusion.png"]


def test_the_program_prints_its_metrics(folder):
    (auc,) = re.findall(r"^auc ([\d.]+), brier [\d.]+$", run(folder, "my_metrics.py"), re.MULTILINE)
    assert float(auc) > 0.7
