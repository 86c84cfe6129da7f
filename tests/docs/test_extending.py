"""The page about a reader's own parts: each part trains by the command below it, from the files above it."""

import re

import numpy as np
import pytest

from trainer.reports import jsonl

PAGE = "extending.md"
STEPS = 40

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def commands(page):
    """The command that trains with each part, by the name of its folder."""
    trains = [words for words in page.commands if words[0] == "train"]
    return {words[-1].removeprefix("--workdir=runs/"): words for words in trains}


@pytest.fixture(scope="module")
def train(page, commands):
    """Runs the command of a part, for few steps and with little data, and returns what it printed."""

    def run(name, *bindings, steps=STEPS):
        more = [*bindings, f"Trainer.steps = {steps}", "Trainer.checkpoint_every = 20", "Trainer.log_every = 20"]
        more += ["Trainer.execution = 'graph'", "Trainer.gradients_every = None"]
        small = "NodePlacement.train_networks = 256"
        is_placement = any("node_placement" in word for word in commands[name])
        return page.command(commands[name], [*more, small] if is_placement else more)

    return run


def test_every_section_has_a_command_and_every_command_both_of_its_files(page, commands):
    sections = [title.split()[-1] for title in re.findall(r"^## (.*)$", page.text, re.MULTILINE)]
    assert [name for name in commands if name in sections] == sections
    assert {path.name for path in page.folder.iterdir()} >= {
        f"my_{name}.{kind}" for name in commands for kind in ("py", "gin")
    }


@pytest.mark.parametrize(
    ("name", "shown"), [("term", ("quartic", "far")), ("source", ("data",)), ("task", ("sum", "difference"))]
)
def test_it_trains_and_shows_its_terms(train, page, name, shown):
    terms = re.findall(r"^│ (\w+) ", train(name), re.MULTILINE)
    assert {*shown} <= {*terms}
    assert (page.folder / "runs" / name / "metrics.jsonl").exists()


def test_a_task_of_ours_learns_from_most_readings_of_a_file_and_is_measured_on_the_others(train, page):
    train("rod", steps=400)
    program = """
import numpy as np
from trainer import load_run
run = load_run("runs/rod")
with run.trainer() as trainer:
    parts = [(source.parts[part].arrays, source) for source in (trainer.task.train, trainer.task.eval)
             for part in ("start", "sensors")]
    rows = [np.stack([*arrays["inputs"].values(), arrays["targets"]])[..., 0].T for arrays, _ in parts]
    np.testing.assert_allclose(np.sort(np.concatenate(rows), axis=0), np.sort(np.loadtxt("readings.txt"), axis=0))
    print(*map(len, rows))
    at = parts[-1][0]["inputs"]
    found = run.model.predict(dict.fromkeys(("ends", "rod", "sensors", "start"), at), verbose=0)["sensors"]
    print(np.abs(found - parts[-1][0]["targets"]).max(), trainer.task.measure(run.model)["worst_error"])
"""
    counts, errors = page.run("-c", program).splitlines()[-2:]
    assert counts == "4 8 1 3"
    worst, measured = map(float, errors.split())
    assert measured == pytest.approx(worst, rel=1e-4)
    assert worst < 0.2
    assert not (page.folder / "runs" / "rod" / "pictures" / "heat.png").exists()


def test_the_term_passes_its_checks_by_command_and_as_a_test(page):
    check, _ = [words for words in page.commands if words[0] == "check"]
    found = page.command(check).splitlines()
    told = page.text.partition("```text\n")[2].partition("\n...")[0].splitlines()
    assert len(told) > 5
    assert {tuple(line.split()[:3]) for line in told} <= {tuple(line.split()[:3]) for line in found}
    page.run("-c", "from test_my_term import test_quartic; test_quartic()")


def test_a_term_that_calls_the_model_teaches_it_where_there_are_no_data(train, page):
    train("symmetry", steps=1000)
    program = """
import numpy as np
from trainer import load_run
x = np.linspace(-6.28, 0, 629, dtype=np.float32)[:, np.newaxis]
print(np.mean((load_run("runs/symmetry").model.predict(x, verbose=0) - np.sin(x)) ** 2))
"""
    assert float(page.run("-c", program).split()[-1]) < 0.3
    _, of_model = [words for words in page.commands if words[0] == "check"]
    assert "FAILED" not in page.command(of_model)
    (check,) = re.findall(r"`(check_term\(.*\))`", page.text)
    page.run("-c", f"from objectives.testing import check_term; from my_symmetry import Odd; {check}")


def test_the_metric_is_in_the_evaluations(train, page):
    assert re.search(r"^worst: \d", train("metric"), re.MULTILINE)
    assert jsonl.read(page.folder / "runs" / "metric")[-1].values["metrics/worst"] > 0


def test_the_step_trains_by_another_update_than_the_default_one(train, page):
    train("step")
    assert "EqualTerms" in (page.folder / "runs" / "step" / "operative_config.gin").read_text()


def test_the_schedules_give_the_weights_of_their_formulas(train, page):
    train("schedule")
    records = [record for record in jsonl.read(page.folder / "runs" / "schedule") if record.split == "train"]
    step = np.arange(STEPS).reshape(2, 20)  # the updates of a record, which holds the mean over them
    for term, weights in (("range", step / 200), ("overlap", 0.5 ** (step / 500))):
        logged = [record.values[f"terms/{term}/weight"] for record in records]
        np.testing.assert_allclose(logged, weights.mean(axis=1), rtol=1e-6)


def test_the_report_has_each_record_once_after_it_resumed(train, page):
    run = page.folder / "runs" / "report"
    train("report")
    with (run / "totals.csv").open("a") as file:
        file.write("60,0.5\n8")  # as a process leaves that is killed at step 80, with a checkpoint at step 40
    train("report", "Trainer.allow_config_change = True", steps=2 * STEPS)  # its learning rate depends on the length
    lines = [line.split(",") for line in (run / "totals.csv").read_text().splitlines()]
    records = [record for record in jsonl.read(run) if record.split == "train"]
    assert [int(step) for step, _ in lines] == [record.step for record in records] == [20, 40, 60, 80]
