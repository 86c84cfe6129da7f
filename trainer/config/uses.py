"""Uses: finds bindings without an effect. A value that a file sets and nothing reads is most often a typo."""

import contextlib
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import gin

from objectives import ConfigurationError
from objectives.errors import Mistakes, expected
from trainer.config.deferred import deferred
from trainer.config.registry import given, parameters, short

# What scripts build themselves, without a reference in a gin file.
_BUILT = ("trainer.Trainer", "objectives.Objective")

# As many letters of a value as a message repeats.
_LONGEST = 60


class Binding(NamedTuple):
    """A value that a file or a flag set.

    Attributes:
      scope: its scope; for a macro, the name of the macro.
      selector: the configurable.
      parameter: the parameter of the configurable.
      place: the file and line, or the flag.
      depth: 0 for a flag, 1 for a file that was requested, more for one that another file includes.
      macros: the macros that the value refers to.
      value: as text.
    """

    scope: str
    selector: str
    parameter: str
    place: str
    depth: int
    macros: tuple[str, ...] = ()
    value: str = ""

    @property
    def target(self) -> str:
        """What it is of, as people write it."""
        return f"{self.scope}/{short(self.selector)}".lstrip("/")


# All bindings, in the order in which they were read.
_bindings: list[Binding] = []
# The last place that refers to a scope and a class.
_referenced: dict[tuple[str, str], str] = {}


def forget_bindings() -> None:
    """Forgets all bindings, which belong to another configuration."""
    _bindings.clear()
    _referenced.clear()


@contextlib.contextmanager
def set_aside() -> Iterator[None]:
    """Forgets all bindings within the context, and remembers them again at its end."""
    bindings, referenced = list(_bindings), dict(_referenced)
    forget_bindings()
    try:
        yield
    finally:
        _bindings[:] = bindings
        _referenced.clear()
        _referenced.update(referenced)


def remember(binding: Binding, value: Any) -> None:
    """Notes where something was bound, and what its value refers to, even if a later binding wins."""
    references = [*gin.config.iterate_references(value)]
    _bindings.append(binding._replace(macros=tuple(_macros_of(references)), value=repr(value)))
    _referenced.update({("/".join(one.scopes), one.configurable.selector): binding.place for one in references})


def bindings_of(target: str) -> list[Binding]:
    """Returns the bindings of the class or function `target`, of any scope, in the order in which they were read."""
    return [one for one in _bindings if short(one.selector) == target]


def replaced(scope: str, selector: str, parameter: str, value: str) -> str | None:
    """Returns in words which value a setting had last before this one, and where; None if it had no other."""
    bound = [one for one in _bindings if (one.scope, one.selector, one.parameter) == (scope, selector, parameter)]
    others = [one for one in bound if one.value != value]
    return f"instead of {in_short(others[-1].value)} ({others[-1].place})" if others else None


def referred_selectors() -> set[str]:
    """Returns the configurables to which some setting referred, also one that a later one replaced."""
    return {selector for _, selector in _referenced}


def flag_of_macro(name: str) -> Binding | None:
    """Returns the flag that gave a macro its value, if one did."""
    found = [one for one in _bindings if one.selector == "gin.macro" and one.scope == name]
    return found[-1] if found and found[-1].depth == 0 else None


def place_of_reference(target: str) -> str | None:
    """Returns the last place that refers to the class or function `target`, or None."""
    referred = [place for (_, selector), place in _referenced.items() if short(selector) == target]
    return referred[-1] if referred else None


def requested(target: str, scope: str) -> list[Binding]:
    """Returns what flags and requested files bind of the class `target` for one made in a scope, in their order."""
    own = [one for one in _bindings if short(one.selector) == target and one.depth < 2]
    return [one for one in own if not one.scope or f"{scope}/".startswith(f"{one.scope}/")]


def require_used_macros() -> None:
    """Raises ConfigurationError for every macro that nothing refers to, except for those of included files.

    Those are dropped, as a shared file may define more than one run needs. A macro that a later binding made unused is
    dropped too, so that the record of a run contains none.
    """
    used = {scope for scope, selector in _referenced if selector == "gin.macro"}
    mistakes = Mistakes()
    for binding in _bindings:
        if binding.selector == "gin.macro" and binding.scope not in used and binding.depth < 2:
            near = expected(binding.scope, used) if used else f"expected a use, such as ... = %{binding.scope}"
            mistakes.messages.append(f"{binding.place}: nothing uses the macro {binding.scope}; {near}")
    mistakes.raise_any()
    _drop_idle_macros()


def require_used(overruled: Iterable[str]) -> None:
    """Raises ConfigurationError for every binding that had no effect on what was built.

    A flag must have an effect. A requested file may set what another file or flag removes again, but not what nothing
    ever refers to; an included file may set anything.

    Args:
      overruled: names such as `Trainer.workdir`, which the caller sets itself.
    """
    mistakes = Mistakes()
    used = _in_use()
    for binding in dict.fromkeys(_bindings):
        with mistakes.gathered(binding.place):
            if f"{short(binding.selector)}.{binding.parameter}" in overruled:
                raise ConfigurationError(
                    f"{binding.target}.{binding.parameter} has no effect in a gin file; expected --{binding.parameter}"
                )
            if binding.parameter in given(binding.selector):
                raise ConfigurationError(
                    f"{binding.target} has no {binding.parameter!r} to set, as the trainer gives it; "
                    f"{expected(binding.parameter, parameters(binding.selector))}"
                )
            if binding.selector != "gin.macro" and not _has_effect(binding, used):
                raise ConfigurationError(_without_effect(binding, used))
    mistakes.raise_any()


def in_short(value: str) -> str:
    """Returns a value as one line of text, cut after some 60 letters."""
    return textwrap.shorten(value, _LONGEST, placeholder=" ...")


def _in_use() -> dict[tuple[str, str], set[str]]:
    """Returns the parameters that gin passed, or will pass, by scope and selector."""
    used = deferred()
    for key, passed in gin.config._OPERATIVE_CONFIG.items():
        used[key] = used.get(key, set()) | passed.keys()
    return used


def _has_effect(binding: Binding, used: Mapping[tuple[str, str], set[str]]) -> bool:
    for (scope, selector), values in used.items():
        inside = scope == binding.scope or scope.startswith(f"{binding.scope}/") or not binding.scope
        if selector == binding.selector and inside and binding.parameter in values:
            return True
    if binding.depth == 0:
        return False
    scopes = {part for scope, _ in (*_referenced, *used) for part in scope.split("/")}
    known = {selector for _, selector in (*_referenced, *used)} | set(_BUILT)
    return binding.depth > 1 or (binding.selector in known and set(binding.scope.split("/")) <= scopes | {""})


def _without_effect(binding: Binding, used: Iterable[tuple[str, str]]) -> str:
    """Returns the message for a binding that had no effect."""
    targets = [f"{scope}/{short(selector)}".lstrip("/") for scope, selector in used if not selector.startswith("gin.")]
    if binding.target in targets:
        return f"{binding.target}.{binding.parameter} has no effect, as what calls {binding.target} passes it"
    return f"nothing in this run uses {binding.target}; {expected(binding.target, targets)}"


def _drop_idle_macros() -> None:
    macros = {scope: values for (scope, selector), values in gin.config._CONFIG.items() if selector == "gin.macro"}
    others = [values for (_, selector), values in gin.config._CONFIG.items() if selector != "gin.macro"]
    alive: set[str] = set()
    found = set(_macros_in(others))
    while found - alive:
        alive |= found
        found = {name for one in alive if one in macros for name in _macros_in([macros[one]])}
    for name in macros.keys() - alive:
        del gin.config._CONFIG[name, "gin.macro"]


def _macros_in(values: Iterable[Any]) -> Iterator[str]:
    return _macros_of(gin.config.iterate_references(list(values)))


def _macros_of(references: Iterable[Any]) -> Iterator[str]:
    return ("/".join(one.scopes) for one in references if one.configurable.selector == "gin.macro")
