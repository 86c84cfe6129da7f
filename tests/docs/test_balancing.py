"""The page about balancing: its programs and its command run as they stand there."""

import re

import pytest

from trainer.reports import jsonl

PAGE = "balancing.md"

pytestmark = pytest.mark.slow


def test_the_command_stacks_a_method_on_a_run(page):
    (command,) = page.commands
    few = ["Trainer.steps = 20", "Trainer.log_every = 10", "NodePlacement.train_networks = 256"]
    assert "factors of the terms by UPGrad(" in page.command(command, few)
    records = [one.values for one in jsonl.read(page.folder / "runs" / "upgrad") if one.split == "train"]
    assert all(record["terms/overlap/effective_weight"] > 0 for record in records)


def test_a_limit_is_kept(page):
    value, weight = re.search(r"activity ([\d.]+), effective weight ([\d.]+)", page.run("limits.py")).groups()
    assert float(value) == pytest.approx(0.15, abs=0.01)
    assert float(weight) > 0


def test_a_method_of_ones_own_gives_gradients_one_length(page):
    assert page.run("own_method.py").strip() == "[0.6666667 2.       ]"
