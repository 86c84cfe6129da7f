"""Functions that gin files give: a process with other parameters of one is refused, one with the same resumes."""

import dataclasses
import pathlib
import shutil

import pytest

from trainer.reports import jsonl

pytestmark = pytest.mark.slow

MODULE = """
import gin
import tensorflow as tf

@gin.register
def top(step, height=0.5):
    return height

@gin.register
def far(outputs, power=1.0):
    return tf.abs(outputs) ** power
"""
GIN = """
include 'tiny.gin'
import termwise_given
ActivationPenalty.weight = @peak/top
peak/top.height = 0.9
Objective.far = @FunctionTerm()
FunctionTerm.fn = @far
Trainer.checkpoint_every = 5
"""


@dataclasses.dataclass(frozen=True)
class Runs:
    """Runs of one configuration: their processes by name, and the folder of each."""

    processes: dict
    folder: pathlib.Path

    def weights(self, name):
        lines = [line for line in jsonl.read(self.folder / name) if line.split == "train"]
        return [round(line.values["terms/small/weight"], 6) for line in lines]


@pytest.fixture(scope="module")
def runs(script, scripts, tmp_path_factory):
    """Half a run, and the same command once more in each of several copies of its folder, with other bindings."""
    folder = tmp_path_factory.mktemp("given")
    (folder / "termwise_given.py").write_text(MODULE)
    (folder / "run.gin").write_text(GIN)
    more = {
        "resumed": ["Trainer.steps = 10", "Trainer.log_every = 5"],
        "moved": ["peak/top.height = 0.2"],
        "powered": ["far.power = 2.0"],
        "allowed": ["peak/top.height = 0.2", "Trainer.steps = 10", "Trainer.allow_config_change = True"],
    }

    def command(name, *bindings):
        flags = (f"--gin_param={one}" for one in bindings)
        return ("train.py", f"--gin_file={folder / 'run.gin'}", f"--workdir={folder / name}", *flags)

    half = script(*command("half", "Trainer.steps = 5"))
    assert half.returncode == 0, half.stderr
    for name in more:
        shutil.copytree(folder / "half", folder / name)
    return Runs(scripts({name: command(name, *bindings) for name, bindings in more.items()}), folder)


def test_a_run_with_functions_resumes_with_other_steps_and_records(runs):
    assert runs.processes["resumed"].returncode == 0, runs.processes["resumed"].stderr
    assert runs.weights("resumed") == [0.9] * 6


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("moved", "  top.height (Objective.small.weight): 0.9 -> 0.2"),
        ("powered", "  far.power (Objective.far.fn): 1 -> 2"),
    ],
)
def test_another_parameter_is_refused_by_its_name(runs, name, line):
    process = runs.processes[name]
    assert process.returncode == 2
    changes = [found for found in process.stderr.splitlines() if found.startswith("  ")]
    assert changes == [line]
    assert runs.weights(name) == [0.9] * 5


def test_an_allowed_change_is_trained_with_and_the_former_configuration_is_kept(runs):
    assert runs.processes["allowed"].returncode == 0, runs.processes["allowed"].stderr
    assert runs.weights("allowed") == [0.9] * 5 + [0.2] * 5
    assert any((runs.folder / "allowed" / "former_configs").iterdir())
