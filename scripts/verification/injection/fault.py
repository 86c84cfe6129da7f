"""Fault: something that goes wrong in a run, and what must come of it."""

import contextlib
import dataclasses
import pathlib
from collections.abc import Callable, Sequence


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to go wrong.

    Attributes:
      name: what is done to the run, in words.
      status: which the run must end with.
      says: a pattern of what it must say.
      bindings: gin bindings that make it go wrong.
      before: is done to the folder of a run that was stopped halfway, which then resumes.
      during: holds from the moment that a run has saved twice until it has ended.
      around: holds from before its start until it has ended.
      resumes: whether the same command then comes to what a run without the fault comes to, to the last bit.
    """

    name: str
    status: int
    says: str
    bindings: Sequence[str] = ()
    before: Callable[[pathlib.Path], None] | None = None
    during: Callable[[pathlib.Path], contextlib.AbstractContextManager] | None = None
    around: Callable[[pathlib.Path], contextlib.AbstractContextManager] = contextlib.nullcontext
    resumes: bool = False
