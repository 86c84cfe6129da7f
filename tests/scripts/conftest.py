"""Scripts as real processes, started in this folder so that gin files find the tiny task."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]

# Collected as a doctest it would register its task with the gin of all other tests.
collect_ignore = ["tiny_task.py"]


@pytest.fixture(scope="session")
def fresh_script():
    """Runs one script by a Python that has loaded nothing, for what happens meanwhile: as a user does, in seconds."""

    def run(script, *arguments, cwd=HERE):
        return subprocess.run(
            [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


@pytest.fixture(scope="session")
def unread():
    """Runs Python on a pipe whose reader is gone; its status, and its errors as text."""

    def run(*arguments, cwd=HERE):
        reader, pipe = os.pipe()
        os.close(reader)
        command = [sys.executable, *map(str, arguments)]
        process = subprocess.run(command, cwd=cwd, stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=300)
        os.close(pipe)
        return process.returncode, process.stderr

    return run


@pytest.fixture(scope="session")
def script(ready_python):
    """Runs one script: a finished process with its status, output and errors, as text.

    A script that starts others by its own Python starts them by another `python`, where one is named.
    """

    def run(script, *arguments, cwd=HERE, python=None):
        return ready_python.run(cwd, ROOT / "scripts" / script, *arguments, python=python)

    return run


@pytest.fixture(scope="session")
def scripts(script):
    """Runs several commands, two at a time as each sleeps a good part of its time; results by their name."""

    def run(commands, **more):
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            running = {name: pool.submit(script, *command, **more) for name, command in commands.items()}
        return {name: process.result() for name, process in running.items()}

    return run


@pytest.fixture(scope="session")
def tiny_run(script, tmp_path_factory):
    """A finished training of the tiny task: its process and its folder."""
    workdir = tmp_path_factory.mktemp("runs") / "tiny"
    return script("train.py", "--gin_file=tiny.gin", f"--workdir={workdir}"), workdir


@pytest.fixture(scope="session")
def saved_run(script, tmp_path_factory):
    """The folder of a finished run on two devices, moved; it has averaged weights, and evaluated each checkpoint."""
    workdir = tmp_path_factory.mktemp("trained") / "tiny"
    settings = {
        "checkpoint_every": 5,
        "eval_every": 5,
        "average_momentum": 0.9,
        "batch_size": 8,
        "best": "'terms/data/raw'",
    }
    flags = [f"--gin_param=Trainer.{name} = {value}" for name, value in settings.items()]
    trained = script(
        "train.py", "--gin_file=tiny.gin", f"--workdir={workdir}", "--logical_devices=2", *flags,
        "--gin_param=TinyTask.dropout = 0.5",
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    return workdir.rename(tmp_path_factory.mktemp("moved") / "tiny")
