"""Fault: something that goes wrong in a run, and the expected outcome."""

import contextlib
import dataclasses
import pathlib
from collections.abc import Callable, Sequence


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to go wrong.

    Attributes:
      name: what is done to the run, in words.
      status: the expected exit status of the run.
      says: a pattern of the expected output.
      bindings: gin bindings that cause the fault.
      before: changes the folder of a run that was stopped halfway, which then resumes.
      during: is active from the second checkpoint of a run until it has ended.
      around: is active from before the start of a run until it has ended.
      resumes: whether the same command then ends with the result of a run without the fault, bit for bit.
    """

    name: str
    status: int
    says: str
    bindings: Sequence[str] = ()
    before: Callable[[pathlib.Path], None] | None = None
    during: Callable[[pathlib.Path], contextlib.AbstractContextManager] | None = None
    around: Callable[[pathlib.Path], contextlib.AbstractContextManager] = contextlib.nullcontext
    resumes: bool = False
