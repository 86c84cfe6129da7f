"""Which files are of installed packages."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

from objectives.libraries import is_of_library


def test_files_of_this_project_and_of_its_tests_are_no_library():
    assert not is_of_library(__file__)
    assert not is_of_library(sys.modules["objectives"].__file__)


@pytest.mark.slow
def test_packages_installed_in_a_folder_on_pythonpath_are_libraries_too(tmp_path):
    installed = pathlib.Path(importlib.util.find_spec("tensorflow").origin).parents[1]
    for entry in installed.iterdir():
        if entry.name.startswith(("tensorflow", "keras")):
            (tmp_path / entry.name).symlink_to(entry)
    asked = (
        "import importlib.util as u; from objectives.libraries import is_of_library as library; "
        "origin = u.find_spec('tensorflow').origin; print(origin, library(origin), library('/elsewhere/tensorflow.py'))"
    )
    here = pathlib.Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(here)])}
    answer = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == [str(tmp_path / "tensorflow" / "__init__.py"), "True", "False"]
