"""The page about callbacks: its gin file and its program stop where they say."""

import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from termwise.cli import run_folders

TEXT = (pathlib.Path(__file__).parents[2] / "docs" / "callbacks.md").read_text()
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
    environment = {**os.environ, "COLUMNS": "200"}
    process = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_the_command_stops_and_the_folder_says_so(folder):
    (command,) = re.findall(r"^```sh\n(termwise [^`]*)\n```", TEXT, re.MULTILINE)
    small = ["NodePlacement.train_networks = 64", "Trainer.steps = 400", "keras.optimizers.Adam.learning_rate = 0.05"]
    arguments = [
        "-c",
        TERMWISE,
        *shlex.split(command.replace("\\\n", " "))[1:],
        *(f"--gin_param={binding}" for binding in small),
    ]
    first = run(folder, *arguments)
    (step,) = re.findall(r"stopped by EarlyStopping at step (\d+) of 400", first)
    assert f"each term at step {step}" in first
    assert run_folders.read(folder / "runs" / "stopping").progress == f"stopped by EarlyStopping at {step} of 400"


def test_the_program_stops(folder):
    (step,) = re.findall(r"stopped at step (\d+)", run(folder, "my_callback.py"))
    assert 0 < int(step) < 2000
