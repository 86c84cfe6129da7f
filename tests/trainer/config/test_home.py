"""Home: the gin files and the commands are found in a checkout and beside what a wheel installs."""

import pathlib
import runpy
import shutil
import sys

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


def test_in_a_checkout_one_types_python_and_the_script():
    assert home.typed("replay") == [sys.executable, str(home.COMMANDS / "replay.py")]


def test_of_a_wheel_one_types_the_console_command(installed, tmp_path, monkeypatch):
    found, _ = installed
    command = tmp_path / "bin" / "termwise"
    command.parent.mkdir()
    command.touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(command.with_name("python")))
    monkeypatch.setenv("PATH", str(command.parent))
    assert found["typed"]("replay") == ["termwise", "replay"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found["typed"]("replay") == [str(command), "replay"]
