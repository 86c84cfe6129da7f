"""Files: reads gin files and bindings into gin, and knows the place of each mistake and each binding."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import gin
from gin.config_parser import BindingStatement, BlockDeclaration, ImportStatement, IncludeStatement

from objectives import ConfigurationError
from objectives.blame import shown_path
from objectives.errors import expected
from trainer.config import home
from trainer.config.explanations import explained
from trainer.config.mistakes import FileMistakes, UnknownName
from trainer.config.modules import import_module
from trainer.config.registry import is_dropped, parameters
from trainer.config.statements import Wrong, statements
from trainer.config.uses import Binding, forget_bindings, remember, require_used_macros


@dataclasses.dataclass(frozen=True)
class _Text:
    """A file or a binding that is being read.

    Attributes:
      name: its name as a user writes it.
      folders: the folders that are searched first for files and modules that it names, in this order.
      open: the files that include one another down to this one.
    """

    name: str
    folders: tuple[pathlib.Path, ...]
    open: tuple[pathlib.Path, ...] = ()

    def place(self, line: int) -> str:
        return f"{self.name}, line {line}" if self.open else self.name


def load(
    files: Sequence[str],
    bindings: Sequence[str],
    *,
    saved: pathlib.Path | None = None,
    modules: Sequence[pathlib.Path] = (),
) -> None:
    """Reads gin files, then single bindings; later ones win.

    Files are searched in the working directory, and what they include and import first beside the including file; then
    among Termwise's own, where 'gin_configs/' may be left out.

    Args:
      files: their names.
      bindings: such as 'RangeHinge.weight = 0.3'.
      saved: the configuration of a run, which is read first. It has the bindings of included files too, and like those
        its own may be without an effect.
      modules: folders in which the modules that it imports are searched before the working directory.

    Raises:
      ConfigurationError: Something is wrong. The message names all mistakes with their files and lines, and what would
        have been right.
    """
    forget_bindings()
    mistakes = FileMistakes()
    here = pathlib.Path.cwd()
    if saved is not None:
        _read_file(saved, mistakes, (here,), tuple(modules))  # as if something included it
    for file in files:
        with mistakes.gathered("" if file.strip() else "--gin_file="):
            path = _found(file, (here,))
            _read_file(path, mistakes, ())
    terms = _bound_terms()
    for binding in bindings:
        text = _Text(f"--gin_param={binding!r}", (here,))
        if not binding.strip():
            mistakes.messages.append("--gin_param= is empty; expected a binding such as 'RangeHinge.weight = 0.3'")
        _read(text, binding, mistakes, terms)
    if not mistakes.messages:
        with mistakes.gathered():
            require_used_macros()
        with mistakes.gathered(), explained():
            gin.finalize()
    mistakes.raise_any()


def _read_file(
    path: pathlib.Path,
    mistakes: FileMistakes,
    including: tuple[pathlib.Path, ...],
    modules: tuple[pathlib.Path, ...] = (),
) -> None:
    name = shown_path(path)
    if path in including:
        circle = " -> ".join(shown_path(one) for one in (*including[including.index(path) :], path))
        raise ConfigurationError(f"the file includes itself: {circle}")
    folders = tuple(dict.fromkeys((path.parent, *modules, pathlib.Path.cwd())))
    with mistakes.gathered(name):
        _read(_Text(name, folders, (*including, path)), _decoded(path), mistakes)


def _read(text: _Text, content: str, mistakes: FileMistakes, terms: set[str] | None = None) -> None:
    """Passes each statement to gin.

    Args:
      text: the file or binding.
      content: its text.
      mistakes: gathers the mistakes.
      terms: the terms that may be dropped; None in a file, which other runs may use too.
    """
    with gin.config._parse_scope() as context:
        for line, statement in statements(content):
            with mistakes.gathered(text.place(line)), explained():
                _apply(statement, text, line, context, mistakes, terms)
        gin.config._IMPORTS.update(context.imports)


def _apply(
    statement: Any, text: _Text, line: int, context: Any, mistakes: FileMistakes, terms: set[str] | None
) -> None:
    match statement:
        case Wrong(error=error):
            raise error
        case IncludeStatement(filename=filename):
            _read_file(_found(filename, text.folders), mistakes, text.open)
        case ImportStatement():
            with mistakes.importing():
                import_module(statement, context, (*text.folders, home.ROOT))
        case BlockDeclaration():
            pass  # its bindings follow as statements of their own
        case BindingStatement(scope=scope, selector=selector, arg_name="", value=value):
            name = f"{scope}/{selector}" if scope else selector
            gin.bind_parameter((name, "gin.macro", "value"), value)
            remember(Binding(name, "gin.macro", "value", text.place(line), len(text.open)), value)
        case BindingStatement(scope=scope, selector=selector, arg_name=parameter, value=value):
            if parameter == "self":
                raise ConfigurationError(f"{selector} cannot have a term named 'self'")
            if terms is not None and value is None:
                _require_known_drop(selector, parameter, terms)
            gin.bind_parameter((scope, selector, parameter), value)
            full = context.get_configurable(selector).selector
            if is_dropped(full, parameter):
                raise ConfigurationError(f"{selector} has no {parameter!r}; {expected(parameter, parameters(full))}")
            remember(Binding(scope, full, parameter, text.place(line), len(text.open)), value)


def _found(file: str, folders: Sequence[pathlib.Path]) -> pathlib.Path:
    """Returns the file of a name in the first folder that has it: first these folders, then Termwise's own."""
    if not file.strip():
        raise ConfigurationError("the name of the file is empty")
    searched = (*folders, *home.GIN_FOLDERS)
    paths = list(dict.fromkeys((folder / pathlib.Path(file).expanduser()).resolve() for folder in searched))
    for path in paths:
        if path.is_file():
            return path
    if folder := next((path for path in paths if path.is_dir()), None):
        raise ConfigurationError(f"{shown_path(folder)} is a folder, not a gin file; {_gin_files(folder)}")
    raise ConfigurationError(f"there is no file {file!r}; {_nearest([path.parent for path in paths], file)}")


def _nearest(folders: Sequence[pathlib.Path], file: str) -> str:
    """Returns the nearest name in the first folder that has one like it, else those in the first that has any."""
    answers = {folder: _gin_files(folder, file) for folder in folders if any(folder.glob("*.gin"))}
    if nearest := next((answer for answer in answers.values() if "did you mean" in answer), None):
        return nearest
    if pathlib.Path.cwd() in answers:
        return answers[pathlib.Path.cwd()]
    folder = next(iter(answers), home.GIN_FOLDERS[-1])
    return f"{_gin_files(folder)} (in {shown_path(folder)})"


def _gin_files(folder: pathlib.Path, wanted: str = "") -> str:
    """Returns a hint about the gin files of a folder, each as one would write it instead of what was wanted."""
    before = pathlib.Path(wanted).parent
    return expected(wanted, [str(before / path.name) for path in folder.glob("*.gin")])


def _decoded(path: pathlib.Path) -> str:
    """Returns the text of a file, without a byte order mark."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}") from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigurationError("the file is UTF-16; save it as UTF-8")
    if b"\0" in content:
        raise ConfigurationError("the file is not text; expected gin bindings in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigurationError(
            f"line {line} holds the byte {content[error.start]:#04x}, which is not UTF-8; save the file as UTF-8"
        ) from error


def _bound_terms() -> set[str]:
    return {
        name
        for (_, selector), parameters in gin.config._CONFIG.items()
        if selector == "objectives.Objective"
        for name, value in parameters.items()
        if value is not None
    }


def _require_known_drop(selector: str, name: str, terms: set[str]) -> None:
    """Refuses to drop a term that nobody added: gin takes any name, so it can only be a typo."""
    if selector in ("Objective", "objectives.Objective") and name not in terms:
        raise UnknownName(f"there is no term {name!r} to drop; {expected(name, terms)}")
