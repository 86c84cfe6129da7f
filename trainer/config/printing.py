"""Printing: the configuration as gin bindings, the most important first, with what each setting replaces."""

import dataclasses
import functools
import inspect
import pprint
import textwrap
from collections.abc import Iterator
from typing import Any

import gin

from trainer.config.registry import parameters
from trainer.config.uses import in_short, referred_selectors, replaced

_TRAINER, _MACRO = "trainer.Trainer", "gin.macro"
_OTHERS = "Without a reference, such as a report that is there by default"
_DEAD = "Without an effect, as the setting that referred to it is replaced"
# What a run is, before how long it trains and what it reports.
_FIRST = ("task", "model", "objective", "optimizer", "optimizers", "train", "eval", "metrics")
_WIDTH, _INDENT = 100, 4
_REFERENCE = gin.config.ConfigurableReference

# The scope and the selector of a configurable, or of a macro, whose name is its scope.
_Key = tuple[str, str]


def described() -> str:
    """Returns the configuration as text that gin reads again as the same.

    What `Trainer` binds comes first, then what its parameters refer to: task, objective with its terms, optimizer,
    data, metrics, the rest. A comment says what a setting replaces: a value that another file or binding gives, with
    its place, or the default. A setting without a comment has no default, or is the default. What only replaced
    settings referred to, such as the parameters of a term that is dropped, is a comment as a whole.
    """
    manager = gin.config.ImportManager(gin.config._IMPORTS)
    imports = "\n".join(statement.format() for statement in manager.sorted_imports)
    groups = [imports] if imports else []
    with gin.config._parse_scope(import_manager=manager):
        for title, keys in _groups():
            sections = [text for key in keys if (text := "\n".join(_section(manager, key)))]
            if title == _DEAD:
                sections = [textwrap.indent(text, "# ", lambda line: True) for text in sections]
            groups.append(f"# {title}\n# {'=' * (_WIDTH - 2)}\n" + "\n\n".join(sections))
    return "\n\n".join(groups) + "\n"


def _groups() -> Iterator[tuple[str, list[_Key]]]:
    """Yields titles and what they are of; everything that is bound once."""
    known = dict.fromkeys(gin.config._CONFIG)
    bound = gin.config._CONFIG.get(("", _TRAINER), {})
    if ("", _TRAINER) in known:
        del known["", _TRAINER]
        yield "Trainer", [("", _TRAINER)]
    for name in sorted(bound, key=functools.partial(_rank, _TRAINER)):
        if reached := [*_reached(bound[name], "", known)]:
            yield f"Trainer.{name}", reached
    if others := [*_unreached(known)]:
        yield _OTHERS, others
    if known:
        yield _DEAD, [*known]


def _unreached(known: dict[_Key, None]) -> Iterator[_Key]:
    """Yields what no setting ever referred to, such as a report that is there by default, and what that refers to."""
    referred = referred_selectors()
    for key in [key for key in known if key[1] not in referred]:
        del known[key]
        yield key
        for value in gin.config._CONFIG[key].values():
            yield from _reached(value, key[0], known)


def _reached(value: Any, scope: str, known: dict[_Key, None]) -> Iterator[_Key]:
    """Yields what a value refers to, at any depth, and takes it out of what is known; macros before their users."""
    for reference in gin.config.iterate_references(value):
        selector, own = reference.configurable.selector, "/".join(reference.scopes)
        scopes = {"", *_prefixes(own), *_prefixes(scope)} if selector != _MACRO else {own}
        found = [key for key in known if key[1] == selector and key[0] in scopes]
        for key in found:
            del known[key]
        yield from found
        inner = own if selector != _MACRO and own else scope
        for key in found:
            values = gin.config._CONFIG[key]
            for name in sorted(values, key=functools.partial(_rank, selector)):
                yield from _reached(values[name], inner, known)


def _prefixes(scope: str) -> list[str]:
    parts = scope.split("/")
    return ["/".join(parts[: i + 1]) for i in range(len(parts)) if scope]


def _rank(selector: str, name: str) -> tuple[int, int, str]:
    """Returns where a parameter comes among those of its configurable: as declared, names of one's own last."""
    if selector == _TRAINER and name in _FIRST:
        return 0, _FIRST.index(name), name
    declared = [] if selector == _MACRO else parameters(selector)
    return (1, declared.index(name), name) if name in declared else (2, 0, name)


def _section(manager: Any, key: _Key) -> Iterator[str]:
    """Yields the lines of what is bound of one configurable, or of a macro."""
    scope, selector = key
    values = gin.config._CONFIG[key]
    for name in sorted(values, key=functools.partial(_rank, selector)):
        if selector == _MACRO:
            yield from _binding(scope, values[name], replaced(scope, selector, name, repr(values[name])))
        else:
            short = manager.minimal_selector(gin.config._REGISTRY[selector])
            target = f"{scope}/{short}.{name}" if scope else f"{short}.{name}"
            yield from _binding(target, values[name], _former(key, name, values[name]))


def _binding(target: str, value: Any, former: str | None) -> Iterator[str]:
    """Yields the lines of one binding; a comment that does not fit behind it is above it."""
    text = pprint.pformat(value, width=_WIDTH - _INDENT, sort_dicts=False)
    line = f"{target} = {text}"
    comment = "" if former is None else f"# {former}"
    if "\n" in text:
        line = f"{target} = \\\n{textwrap.indent(text, ' ' * _INDENT)}"
    if comment and "\n" not in text and len(line) + len(comment) + 2 <= _WIDTH:
        yield f"{line}  {comment}"
    else:
        yield from [comment] * bool(comment)
        yield line


def _former(key: _Key, name: str, value: Any) -> str | None:
    """Returns what a setting replaces, in words; None if it has no default or is the default."""
    scope, selector = key
    if (earlier := replaced(scope, selector, name, repr(value))) is not None:
        return earlier
    default = _default(selector, name)
    if default is None or default == repr(value) or (default == "None" and isinstance(value, _REFERENCE)):
        return None
    return f"default: {in_short(default)}"


def _default(selector: str, name: str) -> str | None:
    """Returns the default of a parameter as text, or None if it has none."""
    wrapped = gin.config._REGISTRY[selector].wrapped
    if dataclasses.is_dataclass(wrapped):
        field = next((one for one in dataclasses.fields(wrapped) if one.name == name), None)
        if field is not None and field.default_factory is not dataclasses.MISSING:
            return repr(field.default_factory())
    parameter = inspect.signature(wrapped).parameters.get(name)
    if parameter is None or parameter.default is parameter.empty:
        return None
    default = parameter.default
    return default.__name__ if isinstance(default, type) or inspect.isfunction(default) else repr(default)
