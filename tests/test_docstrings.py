"""The docstrings of one module alone are tested as those of all modules are."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]


@pytest.mark.slow
def test_a_module_is_imported_once():
    command = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "objectives/adapters.py"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stdout
