"""The page about a reader's own parts: each part trains by the command below it, from the files above it."""

import os
import pathlib
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest

from trainer.reports import jsonl

TEXT = (pathlib.Path(__file__).parents[2] / "docs" / "extending.md").read_text()
TERMWISE = "from termwise.cli.main import main; main()"  # what the console command runs
STEPS = 40

pytestmark = pytest.mark.slow


def commands():
    """The command of each part, by the name of its folder."""
    found = re.findall(r"^```sh\n(termwise [^`]*--workdir=runs/(\w+))\n```", TEXT, re.MULTILINE)
    return {name: command.replace("\\\n", " ") for command, name in found}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder that holds the files of the page, and nothing else."""
    folder = tmp_path_factory.mktemp("reader")
    for name, content in re.findall(r'^```\w+ title="([^"]*)"\n(.*?)^```', TEXT, re.DOTALL | re.MULTILINE):
        (folder / name).write_text(content)
    return folder


@pytest.fixture(scope="module")
def train(folder):
    """Runs the command of a part, for few steps and with little data, and returns what it printed."""

    def run(name, *bindings, steps=STEPS):
        more = [*bindings, f"Trainer.steps = {steps}", "Trainer.checkpoint_every = 20", "Trainer.log_every = 20"]
        more += ["NodePlacement.train_networks = 256"] if "node_placement" in commands()[name] else []
        process = subprocess.run(
            [sys.executable, "-c", TERMWISE, *shlex.split(commands()[name])[1:], *(f"--gin_param={b}" for b in more)],
            cwd=folder,
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert process.returncode == 0, process.stderr
        return process.stdout

    return run


def test_every_section_has_a_command_and_both_of_its_files(folder):
    sections = [title.split()[-1] for title in re.findall(r"^## (.*)$", TEXT, re.MULTILINE)]
    assert [*commands()] == sections
    assert {path.name for path in folder.iterdir()} >= {
        f"my_{name}.{kind}" for name in sections for kind in ("py", "gin")
    }


@pytest.mark.parametrize(("name", "shown"), [("term", "quartic"), ("source", "data"), ("task", "data")])
def test_it_trains_and_shows_its_terms(train, folder, name, shown):
    assert re.search(rf"^│ {shown} ", train(name), re.MULTILINE)
    assert (folder / "runs" / name / "metrics.jsonl").exists()


def test_the_metric_is_in_the_evaluations(train, folder):
    assert re.search(r"^worst: \d", train("metric"), re.MULTILINE)
    assert jsonl.read(folder / "runs" / "metric")[-1].values["metrics/worst"] > 0


def test_the_step_trains_by_another_update_than_the_default_one(train, folder):
    train("step")
    assert "EqualTerms" in (folder / "runs" / "step" / "operative_config.gin").read_text()


def test_the_schedules_give_the_weights_of_their_formulas(train, folder):
    train("schedule")
    records = [record for record in jsonl.read(folder / "runs" / "schedule") if record.split == "train"]
    step = np.arange(STEPS).reshape(2, 20)  # the updates of a record, which holds the mean over them
    for term, weights in (("range", step / 200), ("overlap", 0.5 ** (step / 500))):
        logged = [record.values[f"terms/{term}/weight"] for record in records]
        np.testing.assert_allclose(logged, weights.mean(axis=1), rtol=1e-6)


def test_the_report_has_each_record_once_after_it_resumed(train, folder):
    run = folder / "runs" / "report"
    train("report")
    with (run / "totals.csv").open("a") as file:
        file.write("60,0.5\n8")  # as a process leaves that is killed at step 80, with a checkpoint at step 40
    train("report", "Trainer.allow_config_change = True", steps=2 * STEPS)  # its learning rate depends on the length
    lines = [line.split(",") for line in (run / "totals.csv").read_text().splitlines()]
    records = [record for record in jsonl.read(run) if record.split == "train"]
    assert [int(step) for step, _ in lines] == [record.step for record in records] == [20, 40, 60, 80]
