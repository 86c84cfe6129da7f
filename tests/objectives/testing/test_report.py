"""The report of checks: a table whose lines are not too long, and an error that lists what failed by name."""

from objectives.testing.report import FAILED, LEFT_OUT, PASSED, Outcome, Report, TermCheckError

REPORT = Report(
    "Hinge()",
    "y_pred (5, 4)",
    [Outcome("values", PASSED), Outcome("ties", FAILED, "it is nan " * 20), Outcome("XLA", LEFT_OUT, "slow")],
)


def test_a_long_detail_goes_on_below_itself():
    first, head, *rows = str(REPORT).splitlines()
    assert first == "Hinge() on y_pred (5, 4)"
    column = head.index("detail")
    assert [row.split()[0] for row in rows if row[0] != " "] == ["values", "ties", "XLA"]
    assert all(row[:column].isspace() for row in rows if row[0] == " ")
    assert max(map(len, rows)) <= 118


def test_the_error_lists_what_failed_by_name():
    error = TermCheckError(REPORT)
    assert isinstance(error, AssertionError)
    assert [*error.report.failed] == ["ties"]
    first, second = str(error).splitlines()
    assert first == "Hinge() fails 1 check on y_pred (5, 4):"
    assert second.startswith("  ties: it is nan it is nan")
