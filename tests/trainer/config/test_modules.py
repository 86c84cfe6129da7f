"""Modules: a gin file imports the module beside it or is refused; what a module raises is reported with its line."""

import importlib
import sys

import gin
import pytest

from objectives import ConfigurationError
from trainer import config


@pytest.fixture
def answer(tmp_path, monkeypatch):
    """What is said of a gin file `mine/run.gin` that is read from the folder above it."""

    def load(text, **modules):
        (tmp_path / "mine").mkdir(exist_ok=True)
        for name, code in {**modules, "run.gin": text}.items():
            path = tmp_path / "mine" / (name if "." in name else f"{name}.py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(code)
        monkeypatch.chdir(tmp_path)
        try:
            config.load(["mine/run.gin"], [])
        except ConfigurationError as error:
            return str(error)
        return None

    return load


def test_a_module_beside_the_file_is_found_from_a_folder_above(answer):
    assert answer("import termwise_beside_a", termwise_beside_a="LOADED = True") is None
    assert sys.modules["termwise_beside_a"].LOADED


def test_a_module_of_the_working_directory_is_found(answer, tmp_path):
    (tmp_path / "termwise_above.py").write_text("LOADED = True")
    assert answer("import termwise_above") is None


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = (1,\n", "SyntaxError: '(' was never closed"),
        ("\nraise OSError('no data')", "OSError: no data"),
        ("\nimport termwise_not_there", "ModuleNotFoundError: No module named 'termwise_not_there'"),
        ("\nfrom math import nothing", "ImportError: cannot import name 'nothing' from 'math'"),
        ("\nx = undefined", "NameError: name 'undefined' is not defined"),
    ],
)
def test_what_a_module_raises_is_reported_with_its_own_line(answer, code, said):
    line = 1 if "SyntaxError" in said else 2
    expected = f"mine/run.gin, line 1: mine/termwise_bad.py, line {line}: {said}"
    assert answer("import termwise_bad", termwise_bad=code).startswith(expected)


def test_a_term_that_python_cannot_define_is_reported_with_its_line(answer):
    code = (
        "import dataclasses\nfrom objectives import Term\n\n@dataclasses.dataclass\nclass Late(Term):\n    x: int = 1\n"
    )
    said = answer("import termwise_thawed", termwise_thawed=code)
    assert said.startswith(
        "mine/run.gin, line 1: mine/termwise_thawed.py, line 4: TypeError: cannot inherit non-frozen"
    )


def test_a_module_that_is_nowhere_is_reported_with_where_it_was_looked_for(answer):
    assert answer("\nimport termwise_nowhere").startswith(
        "mine/run.gin, line 2: there is no module 'termwise_nowhere'; looked for in mine, ., "
    )


def test_a_readers_package_of_our_name_is_refused(answer):
    code = {"tasks/__init__.py": "", "tasks/denoise.py": "DONE = True"}
    assert "the name 'tasks' is taken by a package of Termwise, which hides mine/tasks; rename yours" in answer(
        "import tasks.denoise", **code
    )
    assert "the name 'tasks' is taken by a package of Termwise" in answer("import tasks", **code)


@pytest.mark.parametrize("code", ["from tasks import shapes", "import tasks\nN = tasks.shapes", "import tasks.shapes"])
def test_a_readers_module_that_imports_another_of_our_name_is_refused_with_the_hidden_one(answer, code):
    assert answer("import termwise_mine", termwise_mine=code, tasks="shapes = 3").startswith(
        "mine/run.gin, line 1: the name 'tasks' is taken by a package of Termwise, which hides mine/tasks.py; "
    )


def test_a_readers_module_that_another_hides_is_refused(answer):
    assert "the name 'json' is taken by a module of Python" in answer("import json", json="MINE = True")
    assert "hides mine/json.py; rename yours" in answer("import json", json="MINE = True")
    assert "is taken by a module of Python, which hides mine/sys.py" in answer("import sys", sys="MINE = True")


def test_the_modules_that_a_configuration_needs_are_known_with_their_folders(answer, tmp_path):
    code = "import gin\n\n@gin.register\nclass Used{}:\n    def __init__(self, size=1): pass\n"
    modules = {"termwise_used_a": code.format("A"), "termwise_used_b": code.format("B")}
    sys.path.append(str(tmp_path / "mine"))
    assert answer("import termwise_used_a\n", **modules) is None
    gin.clear_config()
    importlib.import_module("termwise_used_b")  # as a program in Python does
    assert answer("UsedA.size = 2\nUsedB.size = 3\nTrainer.task = @NodePlacement()\nRangeHinge.weight = 2.0\n") is None
    mine = str(tmp_path / "mine")
    assert config.used_modules() == {
        "tasks.node_placement": None,
        "termwise_used_a": mine,
        "termwise_used_b": mine,
    }
