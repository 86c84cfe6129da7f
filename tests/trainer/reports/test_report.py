"""The interface: everything has a default."""

from trainer.reports import Report


def test_a_report_need_not_answer_to_everything(run, train_line):
    silent = Report()
    answers = [silent.start(run()), silent.write(train_line(1)), silent.advance(1, 1.0), silent.flush(), silent.close()]
    assert answers == [None] * 5
