"""A reader copies an example beside their own code, imports it by its name or runs it; so do these tests."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"

sys.path.insert(0, str(EXAMPLES))


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A folder elsewhere that holds a copy of the examples."""
    return shutil.copytree(EXAMPLES, tmp_path_factory.mktemp("elsewhere") / "examples")


@pytest.fixture(scope="module")
def run_there(copied):
    """Runs Python with some arguments in the copy, or in a folder of it, and returns what it printed."""

    def run(*arguments, folder="."):
        process = subprocess.run(
            [sys.executable, *arguments],
            cwd=copied / folder,
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert process.returncode == 0, process.stderr
        return process.stdout

    return run
