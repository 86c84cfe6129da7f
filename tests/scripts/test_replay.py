"""scripts/replay.py: the command that a stopped run prints shows its last step again."""

import pathlib
import re
import shlex

import pytest

pytestmark = pytest.mark.slow

CAUSE = "the raw values of the terms 'data' and 'small' are not finite, as inputs is not finite, for"


@pytest.fixture(scope="module")
def stopped(script, tmp_path_factory):
    """A run that met a number that is not finite, and its folder."""
    workdir = tmp_path_factory.mktemp("runs") / "poisoned"
    flags = ("--gin_file=tiny.gin", f"--workdir={workdir}", "--gin_param=TinyTask.poisoned = 17")
    return script("train.py", *flags), workdir


def test_a_run_ends_with_status_3_and_one_paragraph(stopped):
    process, workdir = stopped
    assert process.returncode == 3
    assert re.fullmatch(
        rf"step \d+ would not be finite: {CAUSE} [^;]*; its update was not applied\. "
        r"The batch, all weights and each term are in \S+; to replay it: "
        r"\S*python\S* \S*scripts/replay\.py --autopsy=\S+\n",
        process.stderr,
    )
    (folder,) = (workdir / "autopsy").iterdir()
    assert {path.name for path in folder.iterdir()} == {"batch.npz", "state.npz", "step.json"}


def test_the_printed_command_shows_the_step_again(script, stopped):
    process, _ = stopped
    _, name, *flags = shlex.split(re.search(r"\S*python\S* .*", process.stderr)[0])
    replayed = script(pathlib.Path(name).name, *flags)
    assert replayed.returncode == 0, replayed.stderr
    assert CAUSE in replayed.stdout
    assert len(re.findall(r"data\s*│ +nan │ +1 │ +nan", replayed.stdout)) == 1


def test_a_folder_without_an_autopsy_is_a_mistake(script, tmp_path):
    process = script("replay.py", f"--autopsy={tmp_path}")
    assert process.returncode == 2
    assert "holds no autopsy; expected a folder such as" in process.stderr


def test_a_run_that_was_made_in_python_is_replayed_there(script, stopped):
    _, workdir = stopped
    (workdir / "config.gin").write_text("# Built in Python, not from gin:\n# Objective(data=MeanSquaredError())\n")
    (folder,) = (workdir / "autopsy").iterdir()
    process = script("replay.py", f"--autopsy={folder}")
    assert process.returncode == 2
    assert f"Trainer(...).replay({str(folder)!r}) in Python" in process.stderr
