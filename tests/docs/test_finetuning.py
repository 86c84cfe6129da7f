"""The page about fine-tuning: its program and its command run as they stand there."""

import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from trainer.reports import jsonl

TEXT = (pathlib.Path(__file__).parents[2] / "docs" / "finetuning.md").read_text()
TERMWISE = "from termwise.cli.main import main; main()"  # what the console command runs

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path):
    """A folder that holds the files of the page, and nothing else."""
    for name, content in re.findall(r'^```\w+ title="([^"]*)"\n(.*?)^```', TEXT, re.DOTALL | re.MULTILINE):
        (tmp_path / name).write_text(content)
    return tmp_path


@pytest.fixture
def run(folder):
    """Runs Python in the folder, and returns what it printed."""

    def python(*arguments):
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

    return python


def test_the_encoder_is_frozen_and_then_trained_at_its_own_learning_rate(run, folder):
    printed = run("digits.py")
    assert (
        "2 phases, each with a step that is compiled before the first update: encoder frozen until step 200" in printed
    )
    assert float(re.search(r"that it never saw: ([\d.]+)", printed)[1]) < 0.8
    records = [record.values for record in jsonl.read(folder / "runs" / "digits") if record.split == "train"]
    rates = {tag: records[-1][f"optimizer/{tag}/learning_rate"] for tag in ("encoder", "rest")}
    assert rates == pytest.approx({"encoder": 1e-4, "rest": 1e-3})


def test_the_gin_file_gives_layers_of_a_task_another_learning_rate(run, folder):
    (command,) = re.findall(r"^```sh\n(termwise .*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    few = ["TrainableFrom.step = 20", "Trainer.steps = 40", "NodePlacement.train_networks = 256"]
    arguments = shlex.split(command.replace("\\\n", " "))[1:]
    assert "hidden.* frozen until step 20" in run("-c", TERMWISE, *arguments, *(f"--gin_param={one}" for one in few))
    (*_, record) = [record.values for record in jsonl.read(folder / "runs" / "parts") if record.split == "train"]
    assert record["optimizer/hidden/learning_rate"] == pytest.approx(1e-4)
    assert "optimizer/rest/learning_rate" in record
