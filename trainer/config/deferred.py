"""Deferred: what gin will pass to functions that are given without a call, such as a schedule `@top`, once they run."""

import inspect
from collections.abc import Iterator
from typing import Any

import gin


def deferred() -> dict[tuple[str, str], set[str]]:
    """Returns the parameters that gin will pass to functions to which what was built refers, and what these refer to.

    They are given by scope and selector, as in gin's record of what was used, which holds a function only once it was
    called. The first argument of such a function is the caller's, such as the step of a schedule.
    """
    found: dict[tuple[str, str], set[str]] = {}
    waiting = [one for one in _references(gin.config._OPERATIVE_CONFIG) if _is_function(one)]
    while waiting:
        reference = waiting.pop()
        scope, selector = key = "/".join(reference.scopes), reference.configurable.selector
        if key in found:
            continue
        with gin.config_scope(scope):
            bindings = gin.get_bindings(selector, resolve_references=False)
        found[key] = bindings.keys() - ({_first(reference)} if _is_function(reference) else set())
        waiting += _references(bindings)
    return found


def _references(values: Any) -> Iterator[Any]:
    return gin.config.iterate_references(values)


def _is_function(reference: Any) -> bool:
    return not reference.evaluate and inspect.isfunction(reference.configurable.wrapped)


def _first(reference: Any) -> str | None:
    return next(iter(inspect.signature(reference.configurable.wrapped).parameters), None)
