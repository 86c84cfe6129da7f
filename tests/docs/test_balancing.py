"""The page about balancing: its programs and its command run as they stand there."""

import inspect
import pathlib
import re

import pytest

import objectives
from objectives.balancing import Weighting
from trainer.reports import jsonl

PAGE = "balancing.md"

REFERENCE = (pathlib.Path(__file__).parents[2] / "docs" / "reference" / "balancing.md").read_text()

pytestmark = pytest.mark.slow


def test_the_command_stacks_a_method_on_a_run(page):
    (command,) = page.commands
    few = ["Trainer.steps = 20", "Trainer.log_every = 10", "NodePlacement.train_networks = 256"]
    assert "factors of the terms by UPGrad(" in page.command(command, few)
    records = [one.values for one in jsonl.read(page.folder / "runs" / "upgrad") if one.split == "train"]
    assert all(record["terms/overlap/effective_weight"] > 0 for record in records)


def test_a_limit_is_kept(page):
    told = page.run("limits.py")
    assert "over its limit" not in told
    value, weight = re.search(r"activity ([\d.]+), effective weight ([\d.]+)", told).groups()
    assert float(value) == pytest.approx(0.15, abs=0.01)
    assert float(weight) > 0


def test_the_reference_says_of_which_methods_weights_count():
    """Where they do not, nobody is told to change one."""
    table = re.findall(r"^\| (?:values|gradients) \| ([^|]*) \|[^|]*\|[^|]*\| ([^|]*) \|", REFERENCE, re.MULTILINE)
    said = {name: scale for names, scale in table for name in re.findall(r"`(\w+)`", names)}
    cancelling = ("cancels", "cancels in the direction", "counts the other way round")
    methods = {
        name: one for name, one in vars(objectives).items() if inspect.isclass(one) and issubclass(one, Weighting)
    }
    assert said.keys() == methods.keys()
    assert {name: scale not in cancelling for name, scale in said.items()} == {
        name: one.weights_count for name, one in methods.items()
    }


def test_a_method_of_ones_own_gives_gradients_one_length(page):
    assert page.run("own_method.py").strip() == "[0.6666667 2.       ]"
