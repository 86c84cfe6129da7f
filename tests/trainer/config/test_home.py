"""Home: the gin files and the commands are found in a checkout and beside what a wheel installs."""

import pathlib
import runpy
import shutil

import pytest

from trainer.config import home


@pytest.fixture
def installed(tmp_path):
    """What the module says where a wheel has installed it, and the folder of the packages there."""
    module = tmp_path / "trainer" / "config" / "home.py"
    module.parent.mkdir(parents=True)
    (tmp_path / "termwise").mkdir()
    shutil.copy(home.__file__, module)
    return runpy.run_path(str(module)), tmp_path


def test_a_checkout_holds_them_in_folders_of_their_own():
    root = pathlib.Path(__file__).parents[3]
    assert (root, root / "scripts") == (home.ROOT, home.COMMANDS)
    assert (root, root / "gin_configs") == home.GIN_FOLDERS
    assert (home.COMMANDS / "replay.py").exists()


def test_a_wheel_holds_them_in_one_package(installed):
    found, folder = installed
    assert (found["ROOT"], found["COMMANDS"]) == (folder, folder / "termwise")
    assert found["GIN_FOLDERS"] == (folder / "termwise", folder / "termwise" / "gin_configs")
