"""The tutorials: each file of docs/tutorials is run as a notebook, and is a page with what its cells show."""

import hashlib
import os
import pathlib
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import jupytext
import nbformat
from mkdocs.exceptions import PluginError
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import MarkdownExporter
from nbconvert.filters import strip_ansi

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "tutorials"
# What was run is kept here, and taken from here until the tutorial, the code that it runs or this file changes.
_KEPT = ROOT / "build" / "tutorials"
_PACKAGES = ("objectives", "trainer", "tasks", "scripts", "gin_configs")
_DIGEST = "termwise"
_OF_LIBRARIES = re.compile(
    r"^(WARNING: All log messages before absl|[IWE]\d{4} \d|INFO:tensorflow:).*\n?", re.MULTILINE
)
_SECONDS = 300
_AT_ONCE = 2
_NOTE = "*This page is a notebook, run as the site was built: [{name}.ipynb]({name}.ipynb).*"


def pages() -> Iterator[tuple[str, str | bytes]]:
    """Yields the path and the content of each page, of its pictures, and of the notebook with what it showed.

    Raises:
      PluginError: a cell failed, or a tutorial does not end in a picture and a next step.
    """
    files = sorted(FOLDER.glob("*.py"))
    code = _code()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for file, notebook in zip(files, pool.map(lambda file: executed(file, code), files), strict=True):
            require_ending(file.name, notebook)
            yield from _page(file.stem, notebook)


def executed(file: pathlib.Path, code: str = "") -> nbformat.NotebookNode:
    """Returns the notebook of a file, a comment `# %%` before each cell, with what its cells show.

    It runs in an empty folder, as a reader who has installed the package would.

    Args:
      file: the tutorial.
      code: a digest of what the tutorial imports.
    """
    text = file.read_text(encoding="utf-8")
    own = pathlib.Path(__file__).read_text(encoding="utf-8")
    digest = hashlib.sha256(f"{own}{code}{text}".encode()).hexdigest()
    kept = _KEPT / f"{file.stem}.ipynb"
    if kept.exists() and (notebook := nbformat.read(kept, as_version=4)).metadata.get(_DIGEST) == digest:
        return notebook
    notebook = jupytext.reads(text, fmt="py:percent")
    with tempfile.TemporaryDirectory() as folder:
        _run(file.name, notebook, folder)
    quieten(notebook, folder)
    notebook.metadata[_DIGEST] = digest
    kept.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, kept)
    return notebook


def quieten(notebook: nbformat.NotebookNode, folder: str) -> None:
    """Takes away what a page does not show.

    That is what libraries say as they load, colours of a terminal, and the folder before a path, which is gone by then.
    """
    for output in _outputs(notebook):
        if output.output_type == "stream":
            output.text = strip_ansi(_OF_LIBRARIES.sub("", output.text)).replace(f"{folder}{os.sep}", "")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("text", "shown")]


def require_ending(name: str, notebook: nbformat.NotebookNode) -> None:
    """Raises PluginError unless the last code shows a picture, and the last words link to a next step."""
    *_, code = (cell for cell in notebook.cells if cell.cell_type == "code")
    if not any("image/png" in output.get("data", ()) for output in code.outputs):
        raise PluginError(f"docs/tutorials/{name} ends without a picture; expected one from the last cell of code")
    if notebook.cells[-1].cell_type != "markdown" or "](" not in notebook.cells[-1].source:
        raise PluginError(f"docs/tutorials/{name} ends without a link; expected a last cell that says what comes next")


def _run(name: str, notebook: nbformat.NotebookNode, folder: str) -> None:
    place = {"metadata": {"path": folder}}
    client = NotebookClient(notebook, timeout=_SECONDS, kernel_name="python3", resources=place, coalesce_streams=True)
    try:
        # The commands of the environment that the site is built in are what a cell calls by `!`.
        commands = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", "")])
        client.execute(env={**os.environ, "PATH": commands, "TF_CPP_MIN_LOG_LEVEL": "3"})
    except CellExecutionError as error:
        raise PluginError(f"docs/tutorials/{name} fails:\n{error}") from error
    # A cell of the magic `capture` counts as done, whatever happened in it.
    for output in _outputs(notebook):
        if output.output_type == "error":
            raise PluginError(f"docs/tutorials/{name} fails:\n{output.ename}: {output.evalue}")


def _outputs(notebook: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
    return (output for cell in notebook.cells for output in cell.get("outputs", ()))


def _page(name: str, notebook: nbformat.NotebookNode) -> Iterator[tuple[str, str | bytes]]:
    body, resources = MarkdownExporter().from_notebook_node(
        notebook, resources={"unique_key": name, "output_files_dir": "."}
    )
    pictures: Mapping[str, bytes] = resources["outputs"]
    title, _, rest = body.strip().partition("\n")
    yield f"tutorials/{name}.md", f"{title}\n\n{_NOTE.format(name=name)}\n{rest}\n"
    yield f"tutorials/{name}.ipynb", nbformat.writes(notebook)
    for picture, content in pictures.items():
        yield f"tutorials/{picture}", content


def _code() -> str:
    """Returns a digest of the files that tutorials import."""
    files = sorted(file for package in _PACKAGES for file in (ROOT / package).rglob("*.[pg]*") if file.suffix != ".pyc")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
