"""The pages that are made as the site is built: files of the root, examples, settings, commands, terms, tutorials."""

import ast
import inspect
import pathlib
import re
from collections.abc import Iterator

import term_pages
import tutorials
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from objectives.annotations import expected_value
from termwise.cli.tasks_at_a_glance import tasks_at_a_glance
from trainer import Trainer
from trainer.settings.settings import annotations, declarations

ROOT = pathlib.Path(__file__).parents[2]
_COPIED = {"guide.md": "README.md", **{name: name for name in ("WORKSPACE.md", "CONTRIBUTING.md", "CHANGELOG.md")}}
_SHARED_FLAGS = "command_line"
# Where a page has the tasks at a glance.
_TASKS = "<!-- tasks -->"

# What a page loads by itself, as against what a reader may follow.
_LOADED = re.compile(r"""(?:\bsrc=|<link[^>]*\bhref=|\burl\()["']?(?:https?:)?//[^"')> ]*""")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Adds the page of each family of terms behind the page that lists them."""
    (reference,) = (entry["Reference"] for entry in config.nav or [] if "Reference" in entry)
    of_families = [{family.title: family.path} for family in term_pages.families()]
    reference[reference.index({"Terms": term_pages.INDEX})] = {"Terms": [{"All terms": term_pages.INDEX}, *of_families]}
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that no file of docs/ holds."""
    for page, content in made_pages():
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **kwargs: object) -> str:
    """Lists the terms and the tasks on the pages that have a place for that."""
    if _TASKS in markdown:
        docs = ROOT / "docs"
        markdown = markdown.replace(_TASKS, tasks_at_a_glance(docs / "tasks.md", docs))
    return markdown.replace(term_pages.PLACE, term_pages.listed())


def on_post_page(output: str, page: Page, **kwargs: object) -> str:
    """Refuses pages that load something from another server, or show an example of a docstring as a quotation."""
    if found := _LOADED.search(output):
        raise PluginError(f"{page.url} loads {found[0]}; expected nothing from another server")
    if page.url.startswith("reference/") and "<blockquote" in output:
        raise PluginError(f"{page.url} has a quotation; expected examples of docstrings as code, see docstrings.py")
    return output


def made_pages() -> Iterator[tuple[str, str | bytes]]:
    """Yields the path and the content of each page that is made, and of the pictures on it."""
    for page, source in _COPIED.items():
        yield page, (ROOT / source).read_text(encoding="utf-8").replace("](docs/", "](")
    yield "examples.md", "\n\n".join([_EXAMPLES, *map(_example, examples())])
    yield "reference/settings.md", "\n\n".join([_SETTINGS, *map(_setting, inspect.signature(Trainer).parameters)])
    yield "reference/commands.md", "\n\n".join([_COMMANDS, *map(_command, commands())])
    yield from term_pages.pages()
    yield from tutorials.pages()


_EXAMPLES = """# Examples

Copy the files of the example that is nearest to what you want to do. A test runs each of them."""

_SETTINGS = """# Settings of Trainer

`Trainer(steps=...)` in Python, `Trainer.steps = ...` in a gin file, `--gin_param='Trainer.steps = ...'` on the command
line. A run resumes only with the settings that it began with, but for those that say otherwise here."""

_COMMANDS = """# Commands

`termwise COMMAND` where the package is installed, `python scripts/COMMAND.py` in a checkout. `--help` prints the same
as this page, `--helpfull` the flags of libraries too. A command ends with status 0 when it is done, 2 for a mistake in
flags, configuration or data, 3 where training stopped on numbers that are not finite, 1 for other failures, and
128 + the signal after an interruption."""


def examples() -> list[pathlib.Path]:
    """Returns the Python file of each example."""
    return sorted((ROOT / "examples").rglob("*.py"))


def commands() -> list[str]:
    """Returns the names of the commands, the first one that users type first."""
    names = sorted(path.stem for path in (ROOT / "scripts").glob("*.py") if path.stem != "__init__")
    return sorted(names, key=lambda name: name != "train")


def _example(path: pathlib.Path) -> str:
    """Returns the section of an example, whose anchor is the name of its file: what it is, the file, its gin file."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    title, _, meaning = docstring.splitlines()[0].partition(": ")
    files = [path, *path.parent.glob(f"{path.stem}.gin")]
    heading = f"## {title} {{ #{path.stem} }}\n\n{meaning[0].upper()}{meaning[1:]}"
    return "\n\n".join([heading, *map(_listing, files)])


def _listing(path: pathlib.Path) -> str:
    language, name = {".py": "python", ".gin": "text"}[path.suffix], path.relative_to(ROOT).as_posix()
    return f'```{{.{language} .wraps title="{name}"}}\n{path.read_text(encoding="utf-8").strip()}\n```'


def _setting(name: str) -> str:
    known, default = declarations()[name], inspect.signature(Trainer).parameters[name].default
    shown = getattr(default, "__name__", repr(default))
    facts = [
        f"Accepts {expected_value(annotations()[name])}.",
        "Required." if default is inspect.Parameter.empty else f"Default: `{shown}`.",
        *(["May change when a run resumes."] if known.may_change else []),
    ]
    return f"## `{name}`\n\n{_sentence(known.meaning)}\n\n{' '.join(facts)}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _command(name: str) -> str:
    module = ast.parse((ROOT / "scripts" / f"{name}.py").read_text(encoding="utf-8"))
    usage = re.sub(r"^(termwise .*(?:\n.+)*)", r"```sh\n\1\n```", ast.get_docstring(module) or "", flags=re.MULTILINE)
    flags = _flags(module)
    # Such a module takes over the flags of what it imports.
    if any(isinstance(node, ast.Attribute) and node.attr == "adopt_module_key_flags" for node in ast.walk(module)):
        flags += _flags(ast.parse((ROOT / "scripts" / "cli" / f"{_SHARED_FLAGS}.py").read_text(encoding="utf-8")))
    return "\n\n".join([f"## {name}", usage, *(["\n".join(flags)] if flags else [])])


def _flags(module: ast.Module) -> list[str]:
    """Returns a line of Markdown for each flag that a module defines."""
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return [_flag(call) for call in calls if ast.unparse(call.func).startswith("flags.DEFINE_")]


def _flag(call: ast.Call) -> str:
    name, default, *_, meaning = call.args
    shown = f" (default: `{ast.literal_eval(default)}`)" if isinstance(default, ast.Constant) and default.value else ""
    return f"- `--{ast.literal_eval(name)}`: {ast.literal_eval(meaning)}{shown}"
