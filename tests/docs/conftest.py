"""A page of the site as a reader uses it: its files in a folder elsewhere, its programs and commands run there."""

import dataclasses
import pathlib
import re
import shlex
from collections.abc import Callable

import pytest

DOCS = pathlib.Path(__file__).parents[2] / "docs"
TERMWISE = "from termwise.cli.main import main; main()"  # what the console command runs


@dataclasses.dataclass(frozen=True)
class Page:
    """A page, and a folder that holds its files and nothing else."""

    text: str
    folder: pathlib.Path
    run_python: Callable[..., str]

    @property
    def files(self):
        """The contents of its files by name, in the order of the page."""
        return dict(re.findall(r'^```\w+ title="([^"]*)"\n(.*?)^```', self.text, re.DOTALL | re.MULTILINE))

    @property
    def commands(self):
        """The words after `termwise` of each block of one command, in the order of the page."""
        blocks = re.findall(r"^```sh\n(termwise [^`]*)\n```", self.text, re.MULTILINE)
        return [shlex.split(block.replace("\\\n", " "))[1:] for block in blocks]

    def run(self, *arguments):
        """Runs Python with some arguments in the folder, and returns what it printed."""
        return self.run_python(self.folder, *arguments)

    def command(self, words, bindings=()):
        """Runs `termwise` with some words and further gin bindings in the folder, and returns what it printed."""
        return self.run("-c", TERMWISE, *words, *(f"--gin_param={binding}" for binding in bindings))


@pytest.fixture(scope="module")
def page(request, tmp_path_factory, run_python):
    """The page that the test module names as PAGE."""
    page = Page((DOCS / request.module.PAGE).read_text(), tmp_path_factory.mktemp("reader"), run_python)
    for name, content in page.files.items():
        (page.folder / name).write_text(content)
    return page
