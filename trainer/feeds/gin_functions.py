"""Functions of gin: the user's function behind the one that gin calls it by, and the parameters that gin passes."""

import contextlib
import inspect
import types
from collections.abc import Iterator, Mapping
from typing import Any

import gin


@contextlib.contextmanager
def opened(value: Any) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Yields the user's function behind one of gin, with its parameters, in the scope in which gin calls it.

    The parameters are the defaults of the function and what gin binds, with references and macros resolved. Any other
    value has none, and is yielded unchanged in the current scope. gin's wrappers are closures of gin 0.5.0.

    >>> with opened(len) as found:
    ...     found
    (<built-in function len>, {})
    """
    if not _is_of_gin(value):
        yield value, {}
        return
    captured = inspect.getclosurevars(value).nonlocals
    if "scope_components" in captured:  # of a reference with a scope, around the wrapper of the function
        with gin.config_scope(list(captured["scope_components"])), opened(captured["fn_or_cls"]) as found:
            yield found
        return
    selector = gin.config._RENAMED_SELECTORS.get(captured["selector"], captured["selector"])
    function = captured["fn_or_cls"]
    yield function, {**_defaults(function), **gin.get_bindings(selector)}


def _is_of_gin(value: Any) -> bool:
    is_function = isinstance(value, types.FunctionType)
    return is_function and value.__globals__ is vars(gin.config) and hasattr(value, "__wrapped__")


def _defaults(function: Any) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not one.empty}
