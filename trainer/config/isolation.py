"""Isolation: a configuration of its own for as long as a context is open, as for a saved run beside the current one."""

import contextlib
from collections.abc import Iterator

import gin

from trainer.config import uses


@contextlib.contextmanager
def isolated() -> Iterator[None]:
    """Gives gin an empty configuration within the context, and the former one back at its end.

    Functions that gin calls by a name, such as a schedule `@top`, read the configuration of the moment of their call.

    >>> gin.bind_parameter("Linear.steps", 9)
    >>> with isolated():
    ...     gin.config_str()
    ''
    >>> gin.query_parameter("Linear.steps")
    9
    """
    private = gin.config
    tables: tuple = (private._CONFIG, private._OPERATIVE_CONFIG, private._SINGLETONS, private._IMPORTS)
    former, was_locked = [table.copy() for table in tables], gin.config_is_locked()
    with uses.set_aside(), gin.config_scope(None):
        gin.clear_config()
        try:
            yield
        finally:
            gin.clear_config()
            for table, content in zip(tables, former, strict=True):
                table.update(content)
            private._set_config_is_locked(was_locked)
