"""The page about callbacks: its gin file and its program stop where they say."""

import re

import pytest

from termwise.cli import run_folders

PAGE = "callbacks.md"

pytestmark = pytest.mark.slow


def test_the_command_stops_and_the_folder_says_so(page):
    (command,) = page.commands
    small = ["NodePlacement.train_networks = 64", "Trainer.steps = 400", "keras.optimizers.Adam.learning_rate = 0.05"]
    first = page.command(command, small)
    (step,) = re.findall(r"stopped by EarlyStopping at step (\d+) of 400", first)
    assert f"each term at step {step}" in first
    assert run_folders.read(page.folder / "runs" / "stopping").progress == f"stopped by EarlyStopping at {step} of 400"


def test_the_program_stops(page):
    (step,) = re.findall(r"stopped at step (\d+)", page.run("my_callback.py"))
    assert 0 < int(step) < 2000
