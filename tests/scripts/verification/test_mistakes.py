"""scripts/verification/mistakes.py: every mistake has the message that docs/mistakes.md shows."""

import difflib
import pathlib
import re

import pytest

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "mistakes.md"


@pytest.mark.slow
def test_every_mistake_gets_the_message_that_the_page_shows(script, tmp_path):
    process = script("verification/mistakes.py", f"--output={tmp_path / 'mistakes.md'}")
    written = (tmp_path / "mistakes.md").read_text()
    difference = list(difflib.unified_diff(PAGE.read_text().splitlines(), written.splitlines(), lineterm="", n=1))
    assert not difference, "\n".join(["run `make mistakes`, and read what changed:", *difference])
    assert process.returncode == 0, process.stderr
    assert written.count("\n**") >= 120


@pytest.mark.slow
def test_a_task_that_cannot_be_measured_loses_nothing(script, tmp_path):
    workdir = tmp_path / "run"
    flags = ("--gin_file=tiny.gin", f"--workdir={workdir}", "--gin_param=TinyTask.measured = False")
    process = script("train.py", *flags)
    assert process.returncode == 2
    assert re.fullmatch(
        r"after training, whose results are saved: TinyTask.measure\(\): tiny_task.py, line \d+: "
        r"OSError: the reference is gone\n",
        process.stderr,
    )
    assert "total" in process.stdout
    assert (workdir / "pictures" / "terms.png").exists()
    assert list((workdir / "checkpoints").iterdir())


@pytest.mark.slow
def test_the_command_says_what_the_page_shows(scripts, tmp_path):
    typed = {
        "Trainer.stops = 20": "Trainer has no 'stops'; did you mean 'steps'?",
        "Trainer.steps = None": "Trainer.steps is None; expected a whole number above 0",
        "MeanSquaredError.weight = @Linear": "MeanSquaredError.weight is the class Linear, not an object of it; write",
    }
    commands = {text: ("train.py", "--gin_file=tiny.gin", f"--gin_param={text}") for text in typed}
    for text, process in scripts(commands).items():
        assert (process.returncode, process.stdout) == (2, "")
        assert process.stderr.startswith(f"--gin_param={text!r}: {typed[text]}")
        assert len(process.stderr.splitlines()) == 1
