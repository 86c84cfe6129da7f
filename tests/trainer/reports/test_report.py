"""The composite hands everything on, in order."""

from trainer.reports import Report, Reports


class Named(Report):
    """Notes in a common list what it is told."""

    def __init__(self, name, told):
        for method in ("start", "write", "advance", "flush", "close"):
            setattr(self, method, lambda *given, method=method: told.append((name, method, given)))


def test_every_report_is_told_everything_in_their_order(run, train_line):
    told = []
    reports = Reports([Named("first", told), Named("second", told)])
    the_run, line = run(), train_line(20)
    reports.start(the_run)
    reports.write(line)
    reports.advance(20, 5.0)
    reports.flush()
    reports.close()
    events = [("start", (the_run,)), ("write", (line,)), ("advance", (20, 5.0)), ("flush", ()), ("close", ())]
    assert told == [(name, *event) for event in events for name in ("first", "second")]


def test_a_report_need_not_answer_to_everything(run, train_line):
    silent = Report()
    answers = [silent.start(run()), silent.write(train_line(1)), silent.advance(1, 1.0), silent.flush(), silent.close()]
    assert answers == [None] * 5
