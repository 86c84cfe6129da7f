"""Mistake: something that a user types or writes, whose message has to say what is wrong."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Mistake:
    """One mistake.

    Attributes:
      what: its name.
      gin: lines that follow those of a working gin file, `run.gin`.
      flags: bindings on the command line.
      python: code, for those who train from Python.
      files: further files in its folder, by name; one called run.gin replaces the working one.
      run: the folder of the saved run that it is made with, where the working gin file was trained; None for none.
    """

    what: str
    gin: str = ""
    flags: tuple[str, ...] = ()
    python: str = ""
    files: Mapping[str, str | bytes] = dataclasses.field(default_factory=dict)
    run: str | None = None
