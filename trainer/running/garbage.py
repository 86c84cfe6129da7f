"""Garbage: Python does not look for it while a step is traced."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def garbage_kept() -> Iterator[None]:
    """Suspends the search for unreachable objects within the context, in all threads.

    Tracing makes many objects that stay, each few thousand of which have Python look at all that TensorFlow has loaded:
    a third of a second in all before the first step. What becomes unreachable meanwhile is found after the context.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
