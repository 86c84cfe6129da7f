"""Config: reads gin files and bindings, and turns gin's complaints into answers.

gin is asked to register things where they are defined; here it is only fed and questioned. Some checks look
into tables that gin 0.5.0 keeps to itself, which is why pyproject.toml pins that version.
"""

import contextlib
import copy
import inspect
import operator
import pathlib
import re
import tokenize
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import gin
import keras
from gin.resource_reader import system_path_reader

from objectives import ConfigurationError
from objectives.errors import Mistakes, expected

T = TypeVar("T")

_ROOT = pathlib.Path(__file__).parents[1]

# gin also looks for files inside Python packages, and fails where a folder of that name is none (gin_configs/).
gin.config._FILE_READERS = [entry for entry in gin.config._FILE_READERS if entry[0] is not system_path_reader]


def load(files: Sequence[str], bindings: Sequence[str]) -> None:
    """Reads gin files, then single bindings; later ones win.

    Files, and what they include, are looked for here and in the project's own folder.

    Raises:
      ConfigurationError: with everything that is wrong in any of them, each with the nearest valid name.
    """
    gin.add_config_file_search_path(str(_ROOT))
    mistakes = Mistakes()
    for file in files:
        with mistakes.gathered(file), _explained():
            _require_file(file)
            gin.parse_config_file(file)
    terms = _bound_terms()
    for binding in bindings:
        with mistakes.gathered(f"--gin_param={binding!r}"), _explained():
            gin.parse_config(binding)
            _require_known_drop(binding, terms)
    if not mistakes.messages:
        with mistakes.gathered(), _explained():
            gin.finalize()
    mistakes.raise_any()


def build(configurable: Callable[..., T], *, bindings: Sequence[str] = (), **arguments: Any) -> T:
    """Builds something that gin configures, and makes sure that each of `bindings` had an effect.

    Raises:
      ConfigurationError: a value is missing, a binding is used by nothing, or what is built says so itself.
    """
    with _explained():
        built = configurable(**arguments)
    mistakes = Mistakes()
    for binding in bindings:
        with mistakes.gathered(f"--gin_param={binding!r}"):
            _require_used(binding)
    mistakes.raise_any()
    return built


def bound(parameter: str, default: Any) -> Any:
    """What gin will give a parameter such as `Trainer.strategy`, before anything is built; macros are looked up."""
    try:
        value = gin.query_parameter(parameter)
    except ValueError:
        return default
    is_macro = isinstance(value, gin.config.ConfigurableReference) and value.selector.endswith("macro")
    return copy.deepcopy(value) if is_macro else value


def configurables() -> dict[str, Callable]:
    """Everything that gin can configure, by its full name (`objectives.RangeHinge`)."""
    found = {entry.selector: entry.wrapped for _, entry in gin.config._REGISTRY.items()}
    return {name: found[name] for name in sorted(found) if not name.startswith("gin.")}


def _require_file(file: str) -> None:
    if (pathlib.Path(file)).is_file() or (_ROOT / file).is_file():
        return
    folder = next((d for d in (pathlib.Path(file).parent, (_ROOT / file).parent) if d.is_dir()), _ROOT / "gin_configs")
    near = expected(pathlib.Path(file).name, [path.name for path in folder.glob("*.gin")])
    raise ConfigurationError(f"there is no such file; in {folder}: {near}")


def _bound_terms() -> set[str]:
    return {
        name
        for (_, selector), parameters in gin.config._CONFIG.items()
        if selector == "objectives.Objective"
        for name, value in parameters.items()
        if value is not None
    }


def _require_known_drop(binding: str, terms: set[str]) -> None:
    """gin takes any name for a term; dropping one that nobody added can only be a typo."""
    drop = re.fullmatch(r"\s*(?:objectives\.)?Objective\.(\w+)\s*=\s*None\s*", binding)
    if drop and drop[1] not in terms:
        raise ConfigurationError(f"there is no term {drop[1]!r} to drop; {expected(drop[1], terms)}")


def _require_used(binding: str) -> None:
    target, _, parameter = binding.partition("=")[0].strip().rpartition(".")
    scope, _, name = target.rpartition("/")
    if not target:
        return
    selector = gin.config._REGISTRY.get_match(name).selector
    for (used_scope, used_selector), parameters in gin.config._OPERATIVE_CONFIG.items():
        inside = used_scope == scope or used_scope.startswith(f"{scope}/") or not scope
        if used_selector == selector and inside and parameter in parameters:
            return
    in_use = {f"{s}/{n.rpartition('.')[2]}".lstrip("/") for s, n in gin.config._OPERATIVE_CONFIG if "gin." not in n}
    raise ConfigurationError(f"nothing in this run uses {target}; {expected(target, in_use)}")


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turns what gin raises into a ConfigurationError that names the nearest valid name."""
    try:
        yield
    except ConfigurationError:
        raise
    except (ValueError, SyntaxError, TypeError, OSError, ImportError, tokenize.TokenError) as error:
        explanation = _explain(error)
        if explanation is None:
            raise
        raise ConfigurationError(explanation) from error


def _explain(error: Exception) -> str | None:
    """What is wrong and what would be right, where gin's words say enough to tell; else None."""
    message = str(error)
    if found := re.search(r"No configurable matching (?:reference )?'@?([^']+?)(?:\(\))?'", message):
        name = found[1].rpartition("/")[2]
        short = [known.rpartition(".")[2] for known in configurables()]
        return f"there is no {name!r} to configure; {expected(name.rpartition('.')[2], short)}{_place(message)}"
    if found := re.search(r"Configurable '([^']+)' doesn't have a parameter named '([^']+)'", message):
        return f"{found[1]} has no {found[2]!r}; {expected(found[2], _parameters(found[1]))}{_place(message)}"
    if found := re.search(r"missing \d+ required .*?arguments?: '(\w+)'.*call to configurable '(\w+)'", message, re.S):
        return f"{found[2]} needs a value for {found[1]!r}; add a line such as {found[2]}.{found[1]} = ..."
    if found := re.search(r"No bindings specified for '(?:[^']*/)?(\w+)/gin\.macro'", message):
        return f"the macro %{found[1]} has no value; {expected(found[1], _macros())}"
    if isinstance(error, SyntaxError):
        token = re.search(r"Failed to parse token '([^']*)'", message)
        what = f"{token[1]!r} is not a value" if token else f"{error.msg.splitlines()[0]} at {error.text!r}"
        return f"{what}; text is quoted ('l1'), an object referred to (@RangeHinge()){_place(message)}"
    if isinstance(error, tokenize.TokenError):
        return "the text ends inside a value; some bracket or quote is not closed"
    if isinstance(error, (OSError, ImportError)):
        return message.splitlines()[0]
    return None


def _place(message: str) -> str:
    """The line of the file that gin says it was reading; a binding is short enough to need none."""
    place = re.search(r"In file \"[^\"]+\", line (\d+)|\(line (\d+)\)", message)
    return f" (line {place[1] or place[2]})" if place else ""


def _parameters(configurable: str) -> list[str]:
    return list(inspect.signature(gin.config._REGISTRY.get_match(configurable).wrapped).parameters)


def _macros() -> list[str]:
    return [scope for scope, selector in gin.config._CONFIG if selector == "gin.macro"]


def _register_keras() -> None:
    """Makes the losses, optimizers and schedules of Keras available as `keras.optimizers.Adam` and so on.

    A loss that bears the name of a term is left out: the term is meant, and gin would find both.
    """
    terms = {name.rpartition(".")[2] for name in configurables()}
    for module, base in (
        ("losses", keras.losses.Loss),
        ("optimizers", keras.optimizers.Optimizer),
        ("optimizers.schedules", keras.optimizers.schedules.LearningRateSchedule),
    ):
        for name, value in vars(operator.attrgetter(module)(keras)).items():
            if isinstance(value, type) and issubclass(value, base) and value is not base and name not in terms:
                gin.external_configurable(value, name=name, module=f"keras.{module}")


_register_keras()
