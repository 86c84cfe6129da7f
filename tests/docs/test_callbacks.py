"""The page about callbacks: its gin file and its program stop where they say."""

import re

import numpy as np
import pytest

from trainer.saved.run_folder import read_run_folder

PAGE = "callbacks.md"

pytestmark = pytest.mark.slow


def test_the_command_stops_and_the_folder_says_so(page):
    (command,) = page.commands
    small = ["NodePlacement.train_networks = 64", "Trainer.steps = 400", "keras.optimizers.Adam.learning_rate = 0.05"]
    first = page.command(command, small)
    (step,) = re.findall(r"stopped by EarlyStopping at step (\d+) of 400", first)
    assert f"each term at step {step}" in first
    assert read_run_folder(page.folder / "runs" / "stopping").progress == f"stopped by EarlyStopping at {step} of 400"


def test_the_program_stops(page):
    (step,) = re.findall(r"stopped at step (\d+)", page.run("my_callback.py"))
    assert 0 < int(step) < 2000


def test_each_group_has_a_rate_of_its_own_and_the_terminal_tells_each_change_once(page):
    # In a pipe each line begins with the time.
    lines = [line.partition(" ")[2] for line in page.run("two_rates.py").splitlines()]
    told = [line for line in lines if "sets the learning rate" in line]
    assert re.search(r"```text\n(.*)\n```", page.text)[1] == told[0]
    assert len(told) > 1
    rates = np.array([0.005, 0.02])
    for line in told[1:]:
        before, after = np.array(re.findall(r"(?:hidden|rest) (\S+) -> ([^\s,]+)", line), float).T
        np.testing.assert_allclose(before, rates, rtol=1e-5)
        np.testing.assert_allclose(after, rates := rates * 0.1, rtol=1e-5)
        assert line.startswith("ReduceLROnPlateau ")
