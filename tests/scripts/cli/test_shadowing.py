"""A reader's own modules that bear the names of our packages are named, before anything of ours fails to load."""

import os

import pytest

from termwise.cli.shadowing import shadowed

NAME = "termwise_shadowed"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with a package, which Python searches last."""
    package = tmp_path / "home" / NAME
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(package.parent)
    return package.parent


@pytest.mark.parametrize("reader", [f"{NAME}.py", f"{NAME}/__init__.py"])
def test_what_python_finds_first_is_named_with_what_it_hides(home, tmp_path, monkeypatch, reader):
    assert shadowed([NAME], home) == []
    file = tmp_path / "reader" / reader
    file.parent.mkdir(parents=True)
    file.touch()
    monkeypatch.syspath_prepend(tmp_path / "reader")
    assert shadowed([NAME], home) == [
        f"{file} hides Termwise's own package {NAME!r} ({home / NAME}); give it another name, or take its folder off "
        f"PYTHONPATH"
    ]


def test_a_folder_without_python_hides_what_python_would_find_by_other_means_than_its_path(tmp_path, monkeypatch):
    (tmp_path / "reader" / NAME).mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "reader")
    (line,) = shadowed([NAME], tmp_path / "home")  # as an editable install is
    assert line.startswith(f"{tmp_path / 'reader' / NAME} hides Termwise's own package")


def test_a_folder_without_python_in_front_hides_nothing_where_python_searches_on(home, tmp_path, monkeypatch):
    (tmp_path / "reader" / NAME).mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "reader")
    assert shadowed([NAME], home) == []


@pytest.mark.parametrize("command", [["train.py", "--gin_file=tiny.gin"], ["benchmark.py", "--workload=tiny"]])
def test_a_command_ends_with_status_2_and_a_line_for_each(fresh_script, tmp_path, monkeypatch, command):
    for name in ("objectives", "trainer", "tasks"):
        (tmp_path / f"{name}.py").write_text("raise AssertionError('it is not loaded')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")])))
    process = fresh_script(*command)
    assert (process.returncode, process.stdout) == (2, "")
    lines = process.stderr.splitlines()
    assert len(lines) == 3
    for name, line in zip(("objectives", "trainer", "tasks"), lines, strict=True):
        assert line.startswith(f"{tmp_path / name}.py hides Termwise's own package '{name}' (")
