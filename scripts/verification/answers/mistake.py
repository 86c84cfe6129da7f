"""Mistake: what somebody types or writes, of which the answer has to say what is wrong."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Mistake:
    """One mistake.

    Attributes:
      what: its name.
      gin: lines behind those of a gin file that works, `run.gin`.
      flags: bindings on the command line.
      python: code, for those who train from Python.
      files: further files beside it, by name; one called run.gin takes the place of the one that works.
    """

    what: str
    gin: str = ""
    flags: tuple[str, ...] = ()
    python: str = ""
    files: Mapping[str, str | bytes] = dataclasses.field(default_factory=dict)
