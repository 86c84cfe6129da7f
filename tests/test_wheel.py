"""Outside of the checkout: a wheel, installed where nothing else of Termwise is, trains from a folder elsewhere."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import venv

import pytest

ROOT = pathlib.Path(__file__).parents[1]
NEEDED = ("objectives", "trainer", "tasks", "scripts", "gin_configs", "pyproject.toml", "README.md", "LICENSE")
FEW = (
    "Trainer.steps = 3",
    "Trainer.execution = 'graph'",
    "NodePlacement.train_networks = 64",
    "NodePlacement.eval_networks = 32",
)
BAD = """
import dataclasses
import gin
import tensorflow as tf
from objectives import Key, Term

@gin.register(module="bad")
@dataclasses.dataclass(frozen=True, kw_only=True)
class NotANumber(Term):
    y_pred: Key = "outputs"

    def values(self, y_pred):
        return tf.sqrt(-1.0 - y_pred**2)
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, as building leaves files behind."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in NEEDED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    pip(sys.executable, "wheel", source, "--no-build-isolation", f"--wheel-dir={built}")
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder of an environment that has the wheel, and what it depends on from this environment."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # Files ending in .pth are read in the environment's own folder alone: what leads to a checkout is not followed.
    (packages / "dependencies.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
    pip(folder / "bin" / "python", "install", "--ignore-installed", "--no-compile", wheel)
    return folder


def pip(python, *arguments):
    command = [python, "-m", "pip", *arguments, "--no-deps", "--no-index", "--disable-pip-version-check"]
    process = subprocess.run([*map(str, command)], env=environment(), capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stdout + process.stderr


def environment():
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"COLUMNS": "200"}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def ready_installed(installed, start_ready_python):
    """The Python of that environment, which has loaded TensorFlow, and nothing of Termwise."""
    with start_ready_python(installed / "bin" / "python") as ready:
        yield ready


@pytest.fixture(scope="module")
def termwise(ready_installed, installed, elsewhere):
    """Runs the console command in a folder elsewhere."""

    def run(*arguments, **variables):
        started = {"variables": {"PYTHONPATH": "", **variables}}
        return ready_installed.run(elsewhere, installed / "bin" / "termwise", *arguments, **started)

    return run


@pytest.fixture(scope="module")
def trained(termwise):
    """A short run with a gin file of ours and a term that is stacked onto it."""
    files = ("--gin_file=node_placement.gin", "--gin_file=gin_configs/terms/quantization.gin")
    return termwise("train", *files, *(f"--gin_param={binding}" for binding in FEW), "--workdir=run")


def test_nothing_of_the_checkout_is_there(installed, elsewhere):
    # Where Python finds them, without loading TensorFlow.
    code = "import importlib.util, sys; print(*(importlib.util.find_spec(name).origin for name in sys.argv[1:]))"
    python = [str(installed / "bin" / "python"), "-c", code, "objectives", "tasks", "termwise", "trainer"]
    said = subprocess.run(python, cwd=elsewhere, env=environment(), capture_output=True, text=True, check=True).stdout
    assert all(pathlib.Path(file).is_relative_to(installed) for file in said.split()), said


def test_a_task_is_trained(trained, elsewhere):
    assert trained.returncode == 0, trained.stderr
    assert re.search(r"^│ quantization ", trained.stdout, re.MULTILINE), trained.stdout
    assert (elsewhere / "run" / "checkpoints" / "000003").is_dir()


def test_the_readers_own_task_is_trained(termwise, elsewhere):
    for path in (ROOT / "examples" / "own_task").iterdir():
        shutil.copy(path, elsewhere)
    few = "--gin_param=Trainer.steps = 20"  # what all its steps learn is a matter of the examples
    trained = termwise("train", "--gin_file=tumours.gin", few, "--workdir=tumours")
    assert trained.returncode == 0, trained.stderr
    assert re.search(r"^missed_percent: ", trained.stdout, re.MULTILINE), trained.stdout
    assert (elsewhere / "tumours" / "pictures" / "tumours.png").exists()


def test_a_run_is_compared(trained, termwise):
    compared = termwise("compare", "run", "run")
    assert compared.returncode == 0, compared.stderr
    assert re.search(r"^│ quantization ", compared.stdout, re.MULTILINE), compared.stdout


def test_the_catalogue_names_the_tasks(termwise):
    catalogue = termwise("catalogue", "NodePlacement")
    assert catalogue.returncode == 0, catalogue.stderr
    assert "Trainer.task = @NodePlacement()" in catalogue.stdout


def test_workers_are_launched(termwise):
    launched = termwise("launch", "--workers=1", "--", "--gin_file=node_placement.gin", "--print_config")
    assert launched.returncode == 0, launched.stderr
    assert "[worker 0] Trainer.task = @NodePlacement()" in launched.stdout


def test_a_file_that_is_missing_is_refused_with_those_that_are_installed(termwise):
    process = termwise("train", "--gin_file=node_placment.gin")
    assert process.returncode == 2
    (line,) = process.stderr.splitlines()
    assert line.startswith("there is no file 'node_placment.gin'; did you mean 'node_placement.gin'? (known: ")
    assert "base.gin, " in line


def test_a_stopped_run_prints_a_command_that_shows_its_step_again(termwise, installed, elsewhere):
    (elsewhere / "bad.gin").write_text("import bad\nObjective.bad = @NotANumber()\n")
    (elsewhere / "bad.py").write_text(BAD)
    files = ("--gin_file=node_placement.gin", "--gin_file=bad.gin")
    path = {"PATH": f"{installed / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    stopped = termwise("train", *files, *(f"--gin_param={binding}" for binding in FEW), "--workdir=stopped", **path)
    assert stopped.returncode == 3, stopped.stderr
    command = stopped.stderr.rpartition("to replay it: ")[2].strip()
    assert command.startswith("termwise replay --autopsy=")
    there = {"cwd": elsewhere, "env": environment() | path}
    again = subprocess.run(command, shell=True, capture_output=True, text=True, **there)
    assert again.returncode == 0, again.stderr
    assert "the raw value of the term 'bad' is nan" in again.stdout


def test_a_stopped_command_prints_what_was_typed(installed, elsewhere):
    code = "import sys; from termwise.cli import main; sys.argv[1:] = ['train', '--workdir=a b']; main.main()"
    # The signal arrives as soon as the command listens: before it has loaded TensorFlow.
    send = "import os, signal, termwise.cli.signals as s\nleave = s.leave_on_signals\n"
    send += "s.leave_on_signals = lambda: (leave(), os.kill(os.getpid(), signal.SIGINT))\n"
    python, path = installed / "bin" / "python", f"{installed / 'bin'}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.run(
        [str(python), "-c", f"{send}{code}"],
        cwd=elsewhere,
        env={**environment(), "PATH": path},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 130
    assert process.stderr == "SIGINT: resume with: termwise train '--workdir=a b'\n"
