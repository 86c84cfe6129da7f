"""The house rules that a program can check: which way imports run, and that everything says what it is."""

import ast
import graphlib
import pathlib
import re
import tomllib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
ROOMS = ("objectives", "trainer", "tasks", "scripts")  # each may import itself and those before it
INSTALLED_AS = {"termwise": "scripts"}
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}

modules = [path for room in (*ROOMS, "tests") for path in sorted((ROOT / room).rglob("*.py"))]
outside_tests = [path for path in modules if path.relative_to(ROOT).parts[0] != "tests"]
packaged = [path for path in modules if path.relative_to(ROOT).parts[0] in ROOMS[:3]]
installed = [path for path in outside_tests if not path.is_relative_to(ROOT / "scripts" / "verification")]
mirrored_rooms = [p for p in packaged if "tasks" not in p.parts and p.stem != "__init__"]


def imported_rooms(path):
    """The rooms that a module imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found = [node.module or ""] if node.level == 0 else [path.relative_to(ROOT).parts[0]]
        else:
            continue
        yield from (INSTALLED_AS.get(room, room) for room in (name.partition(".")[0] for name in found))


def broken(rule, paths):
    """What a rule says of each file that breaks it: a rule yields one sentence for each breach."""
    assert paths, "there is something to check"
    return [f"{path.relative_to(ROOT)}: {breach}" for path in paths for breach in rule(path)]


def test_there_is_something_to_check():
    assert {path.relative_to(ROOT).parts[0] for path in modules} == {*ROOMS, "tests"}


def test_imports_run_one_way():
    def rule(path):
        room = path.relative_to(ROOT).parts[0]
        allowed = ROOMS[: ROOMS.index(room) + 1]
        for name in imported_rooms(path):
            if name in {*ROOMS, "tests"} and name not in allowed:
                yield f"{room} imports {name}"

    assert broken(rule, outside_tests) == []


def test_what_is_installed_imports_nothing_of_the_evidence():
    def rule(path):
        if re.search(r"termwise(\.| import )verification", path.read_text()):
            yield "it imports termwise.verification, which no wheel contains"

    assert broken(rule, [path for path in installed if path.is_relative_to(ROOT / "scripts")]) == []


def test_every_folder_of_python_is_installed_but_for_the_evidence():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {path.parent.relative_to(ROOT).as_posix().replace("scripts", "termwise") for path in installed}
    assert {*settings["packages"]} == {folder.replace("/", ".") for folder in folders} | {"termwise.gin_configs"}


def test_files_and_folders_of_the_trainer_import_one_another_in_one_direction():
    inside = ROOT / "trainer"
    graph = {}
    for path in inside.rglob("*.py"):
        if path != inside / "__init__.py":
            graph.setdefault(child(path.relative_to(inside)), set()).update(imported_children(path))
    graph = {name: others - {name} for name, others in graph.items()}
    assert graph["trainer"] >= {"running", "executions", "checkpoints"}
    # It tells of a circle, if there is one.
    assert [*graphlib.TopologicalSorter(graph).static_order()][-4:] == [
        "trainer",
        "saved",
        "comparison",
        "pages",
    ]  # or it tells of a circle


def child(path):
    return path.parts[0].removesuffix(".py")


def imported_children(path):
    """The files and folders of the trainer that one of its modules imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "trainer":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trainer."):
            yield node.module.split(".")[1]


def test_every_module_has_a_name_and_says_what_lives_there():
    def rule(path):
        first = path.read_text().split("\n")[0]
        if path.stem in NAMELESS:
            yield "the name says nothing"
        if not re.fullmatch(r'"""\w.*[.:,]?(""")?', first):
            yield f"the first line is {first!r}"

    assert broken(rule, modules) == []


def test_every_public_class_and_function_is_documented():
    def rule(path):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
                summary = (ast.get_docstring(node) or "").partition("\n")[0]
                if not re.search(r"\w.*[.:]$", summary):
                    yield f"{node.name} begins its docstring with {summary!r}"

    assert broken(rule, packaged) == []


def test_every_module_has_its_tests_in_the_same_place():
    def rule(path):
        room = path.relative_to(ROOT)
        mirrored = ROOT / "tests" / room.with_name(f"test_{path.name}")
        if not mirrored.exists():
            yield f"expected {mirrored.relative_to(ROOT)}"

    assert broken(rule, mirrored_rooms) == []


@pytest.mark.parametrize("name", ["README.md", "WORKSPACE.md", "CONTRIBUTING.md"])
def test_what_a_document_points_at_exists(name):
    document = ROOT / name
    text = document.read_text()
    links = [link for link in re.findall(r"\]\(([^)#\s]+)\)", text) if "://" not in link]
    paths = re.findall(r"`((?:objectives|trainer|tasks|scripts|tests|gin_configs|docs|examples)/[\w./-]*)`", text)
    commands = re.findall(r"\b((?:scripts|gin_configs)/[\w/]+\.(?:py|gin))\b", text)
    assert links or paths or commands
    for found in {*links, *paths, *commands}:
        assert (ROOT / found).exists(), f"{name} points at {found}"
