"""Report: what the checks of a term found, as a table, and the error that lists those that failed."""

import dataclasses
import textwrap
from collections.abc import Sequence

from objectives.errors import ConfigurationError
from objectives.quantities import quantity

PASSED, FAILED, NOT_APPLICABLE, LEFT_OUT = "passed", "FAILED", "not applicable", "left out"
NOT_CHECKED, NOT_RUN = "not checked", "not run"

_WIDTH = 118


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one check found.

    Attributes:
      check: its name.
      result: one of the results above.
      detail: what was found, and what to change where it failed.
    """

    check: str
    result: str
    detail: str = ""


@dataclasses.dataclass(frozen=True)
class Report:
    """What all checks of a term found; its text is a table with a row for each.

    Attributes:
      term: the term as text.
      tensors: what it was given, in words.
      outcomes: of the checks, in their order.

    >>> print(Report("Hinge()", "y_pred (5, 4)", [Outcome("values", PASSED, "(5, 4)"), Outcome("repr", NOT_RUN)]))
    Hinge() on y_pred (5, 4)
    check    result    detail
    values   passed    (5, 4)
    repr     not run
    """

    term: str
    tensors: str
    outcomes: Sequence[Outcome]

    @property
    def failed(self) -> dict[str, str]:
        """What was found by each check that failed."""
        return {one.check: one.detail for one in self.outcomes if one.result == FAILED}

    @property
    def not_checked(self) -> dict[str, str]:
        """What each check lacked that had nothing to look at on what was drawn."""
        return {one.check: one.detail for one in self.outcomes if one.result == NOT_CHECKED}

    def __str__(self) -> str:
        rows = [("check", "result", "detail"), *((one.check, one.result, one.detail) for one in self.outcomes)]
        names, results = (max(len(row[column]) for row in rows) + 3 for column in (0, 1))
        lines = [
            textwrap.fill(detail, _WIDTH, initial_indent=f"{check:{names}}{result:{results}}", subsequent_indent=indent)
            if detail
            else f"{check:{names}}{result}"
            for indent in [" " * (names + results)]
            for check, result, detail in rows
        ]
        return "\n".join([f"{self.term} on {self.tensors}", *lines])


class TermCheckError(AssertionError):
    """Checks of a term failed; the message lists each by its name, with what was found and what to change.

    Attributes:
      report: what all checks found.
    """

    def __init__(self, report: Report):
        count = quantity(len(report.failed), "check")
        lines = [f"  {name}: {detail}" for name, detail in report.failed.items()]
        super().__init__("\n".join([f"{report.term} fails {count} on {report.tensors}:", *lines]))
        self.report = report


class NotCheckedError(ConfigurationError):
    """Nothing could be checked, as the formula takes no tensors that were drawn; the message says what to give.

    Attributes:
      report: which checks were not run.
    """

    def __init__(self, report: Report):
        (detail,) = report.not_checked.values()
        super().__init__(f"nothing is known of {report.term}: {detail}")
        self.report = report
