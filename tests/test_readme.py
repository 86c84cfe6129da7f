"""The README does what it says: its commands, its Python and its error message, as real processes."""

import pathlib
import re
import shlex
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()

pytestmark = pytest.mark.slow


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def arguments_of(command):
    """The arguments of Python in one of the README's commands."""
    python, *arguments = shlex.split(command.replace("\\\n", " "))
    assert python == ".venv/bin/python"
    return arguments


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The checkout's folders, with the files that the README tells a reader to write."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("scripts", "gin_configs"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "my_terms.py").write_text(blocks("python")[0])
    (folder / "centred.gin").write_text(blocks("gin")[0])
    return folder


def train_commands():
    commands = [c for block in blocks("sh") for c in re.findall(r"^\.venv(?:.*\\\n)*.*", block, re.MULTILINE)]
    assert len([c for c in commands if "train.py" in c]) == 4
    return [c for c in commands if "train.py" in c]


@pytest.mark.parametrize("command", train_commands(), ids=lambda command: command.split("--workdir=")[1].split()[0])
def test_each_training_command_works(run_python, command, checkout):
    printed = run_python(checkout, *arguments_of(command), "--dry_run")
    terms = {"strict": "overlap", "quantized": "quantization", "centred": "centred"}
    assert terms.get(command.split("runs/")[1].split()[0], "placement") in printed


def test_the_mistake_it_shows_gets_the_message_that_it_shows(checkout):
    command, answer = re.search(r"^\$ (.*)\n(.*)$", TEXT, re.MULTILINE).groups()
    process = subprocess.run([sys.executable, *arguments_of(command)], cwd=checkout, capture_output=True, text=True)
    assert (process.returncode, process.stderr.strip()) == (2, answer)


def test_its_python_without_gin_trains(run_python, checkout):
    (checkout / "plain.py").write_text(blocks("python")[1])
    run_python(checkout, "plain.py")
    assert (checkout / "runs" / "x" / "metrics.jsonl").exists()


def test_the_files_and_headings_it_links_to_exist():
    links = [link.partition("#") for link in re.findall(r"\]\(([^)]+)\)", TEXT)]
    assert links
    assert [file for file, _, _ in links if not (ROOT / file).exists()] == []
    assert [(file, anchor) for file, _, anchor in links if anchor and anchor not in anchors(ROOT / file)] == []


def anchors(page):
    """The anchors of a page's headings as GitHub and MkDocs write them: no punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
