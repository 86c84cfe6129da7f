"""Background: everything is written, in order, and no error is lost."""

import contextlib
import re
import threading
import time
import traceback

import pytest

from objectives import ConfigurationError
from trainer.reports import Background, Report, ReportError
from trainer.storage.files import StorageError


class Told(Report):
    """Records what it receives in a list, and fails where it is asked to."""

    def __init__(self, told=None, name="", fails=()):
        self.told = [] if told is None else told
        for method in ("start", "write", "advance", "flush", "close"):
            setattr(self, method, self._note(name, method, method in fails))

    def _note(self, name, method, fails):
        def note(*given):
            self.told.append((name, method, given))
            if fails:
                raise OSError(f"{name} cannot {method}")

        return note

    def methods(self):
        return [method for _, method, _ in self.told]


class Held(Told):
    """Waits to be let go before it writes."""

    def __init__(self):
        super().__init__()
        self.let_go = threading.Event()
        note = self.write
        self.write = lambda lines: self.let_go.wait(60) and note(lines)


def started(run, *reports):
    background = Background(reports)
    background.start(run())
    return background


def test_every_report_receives_everything_in_order(run, train_line):
    told, the_run, lines = [], run(), train_line(20)
    with Background([Told(told, "first"), Told(told, "second")]) as background:
        background.start(the_run)
        background.write(lines)
        background.advance(20, 5.0)
        background.flush()
    events = [("start", (the_run,)), ("write", (lines,)), ("advance", (20, 5.0)), ("flush", ()), ("close", ())]
    assert told == [(name, *event) for event in events for name in ("first", "second")]


def test_many_lines_stay_in_order_and_all_are_there_at_the_end(run, train_line):
    report = Told()
    with started(run, report) as background:
        for step in range(1, 500):
            background.write(train_line(step))
    assert [given[0].last.step for _, method, given in report.told if method == "write"] == [*range(1, 500)]


def test_training_does_not_wait_for_a_line_to_be_written(run, train_line):
    report = Held()
    with started(run, report) as background:
        background.write(train_line(1))
        assert report.methods() == ["start"]
        report.let_go.set()
    assert report.methods() == ["start", "write", "close"]


def test_a_full_queue_holds_training_back(run, train_line):
    report, handed_on = Held(), []

    def train():
        for step in range(1, 201):
            background.write(train_line(step))
            handed_on.append(step)

    with started(run, report) as background:
        training = threading.Thread(target=train)
        training.start()
        training.join(0.3)
        waiting = len(handed_on)
        assert training.is_alive()
        assert 0 < waiting < 100
        report.let_go.set()
        training.join(60)
    assert report.methods().count("write") == 200


def test_a_flush_returns_when_all_is_written(run, train_line):
    report = Told()
    note = report.write
    report.write = lambda lines: (time.sleep(0.05), note(lines))
    with started(run, report) as background:
        background.write(train_line(1))
        background.write(train_line(2))
        background.flush()
        assert report.methods() == ["start", "write", "write", "flush"]


def test_neither_a_flush_nor_the_end_keeps_waiting_for_training_to_be_away(run, train_line, monkeypatch):
    monkeypatch.setattr("trainer.reports.background._PAUSE", 60.0)
    began = time.monotonic()
    with started(run, Told()) as background:
        background.write(train_line(1))
        background.flush()
        background.write(train_line(2))
    assert time.monotonic() - began < 30


def test_closing_closes_every_report_and_leaves_no_thread(run, train_line):
    threads = threading.active_count()
    reports = [Told(name="first", fails=["close"]), Told(name="second")]
    background = started(run, *reports)
    assert threading.active_count() == threads + 1
    with pytest.raises(ReportError, match="first cannot close"):
        background.close()
    assert threading.active_count() == threads
    assert [report.methods() for report in reports] == [["start", "close"]] * 2


def test_it_can_be_started_again(run, train_line):
    report = Told()
    background = Background([report])
    for _ in range(2):
        with background:
            background.start(run())
            background.write(train_line(1))
    assert report.methods() == ["start", "write", "close"] * 2


# Errors


def test_a_report_that_cannot_start_is_reported_at_once_and_all_are_closed(run):
    reports = [Told(), Told(name="second", fails=["start"]), Told()]
    threads = threading.active_count()
    with pytest.raises(ReportError, match="second cannot start"), Background(reports) as background:
        background.start(run())
    assert [report.methods() for report in reports] == [["start", "close"], ["start", "close"], ["close"]]
    assert threading.active_count() == threads


@pytest.mark.parametrize("call", ["write", "advance", "flush", "close"])
def test_an_error_is_raised_once_by_the_next_call_with_its_own_traceback(run, train_line, call):
    background = started(run, Told(name="first", fails=["write"]))
    background.write(train_line(1))
    background._put(lambda report: None).wait()
    arguments = {"write": [train_line(2)], "advance": [2, 1.0]}.get(call, [])
    with pytest.raises(ReportError, match="first cannot write") as error:
        getattr(background, call)(*arguments)
    assert "in note" in "".join(traceback.format_tb(error.value.__cause__.__traceback__))
    background.close()


@pytest.mark.parametrize("fails", ["write", "advance", "flush"])
def test_after_an_error_the_others_continue_and_all_are_closed(run, train_line, fails):
    broken, whole, unwritten = Told(name="broken", fails=[fails]), Told(), set()
    with pytest.raises(ReportError, match=f"broken cannot {fails}"), started(run, broken, whole) as background:
        for call in (lambda: background.write(train_line(1)), lambda: background.advance(1, 1.0), background.flush) * 2:
            try:
                call()
            except ReportError as error:
                if error.__cause__:
                    raised = error
                else:
                    unwritten.add(str(error))
        raise raised
    assert unwritten <= {"a report failed before"}, "a flush never says that all is written"
    assert whole.methods() == ["start", *["write", "advance", "flush"] * 2, "close"]
    heard = ["write", "advance", "flush"]
    assert broken.methods() == ["start", *heard[: heard.index(fails) + 1], "close"]


def test_the_error_of_training_is_raised_and_that_of_a_report_noted(run, train_line):
    whole = Told()
    reports = [Told(name="first", fails=["write"]), whole, Told(name="third", fails=["close"])]
    with pytest.raises(ValueError, match="diverged") as error, started(run, *reports) as background:
        background.write(train_line(1))
        raise ValueError("diverged")
    (note,) = error.value.__notes__
    assert "OSError: first cannot write" in note
    assert whole.methods() == ["start", "write", "close"]


def test_of_two_errors_the_second_is_noted(run, train_line):
    background = started(run, Told(name="first", fails=["write"]), Told(name="second", fails=["write"]))
    background.write(train_line(1))
    with pytest.raises(ReportError, match="first cannot write") as error:
        background.close()
    (note,) = error.value.__notes__
    assert note.startswith("A report failed too: ReportError: the report Told failed in write() at step 1: ")
    assert note.endswith("OSError: second cannot write")


@pytest.mark.parametrize(
    ("method", "step"), [("start", 7), ("write", 10), ("advance", 20), ("flush", 20), ("close", 20)]
)
def test_an_error_names_the_report_the_method_and_the_step(run, train_line, method, step):
    with pytest.raises(ReportError) as error, Background([Told(name="mine", fails=[method])]) as background:
        background.start(run(first_step=7))
        background.write(train_line(10))
        background.advance(20, 1.0)
        background.flush()
    start = rf"the report Told failed in {method}\(\) at step {step}: .*test_background\.py, line \d+: "
    assert re.fullmatch(rf"{start}OSError: mine cannot {method}", str(error.value))


@pytest.mark.parametrize("error", [StorageError("the disk is full"), ConfigurationError("there is no such server")])
def test_what_says_enough_itself_stays_as_it_is(run, train_line, error):
    class Refuses(Report):
        def write(self, records):
            raise error

    with pytest.raises(type(error)) as raised, started(run, Refuses()) as background:
        background.write(train_line(1))
    assert raised.value is error


@pytest.mark.parametrize(
    ("outcome", "error", "told"),
    [
        (None, None, "stopped"),
        ("complete", None, "complete"),
        (None, KeyboardInterrupt(), "stopped"),
        ("complete", ValueError("diverged"), "failed"),
    ],
)
def test_at_the_end_those_that_work_are_told_how_the_run_ended_before_they_are_closed(run, outcome, error, told):
    class Ends(Told):
        def end(self, outcome):
            self.told.append(("", outcome, ()))

    report, broken = Ends(), Ends(fails=["advance"])
    broken.end = None
    with contextlib.suppress(type(error), ReportError), started(run, report, broken) as background:
        background._hand_on("advance", 1, 1.0)
        background.outcome = outcome or background.outcome
        if error:
            raise error
    assert report.methods() == ["start", "advance", told, "close"]
    assert broken.methods() == ["start", "advance", "close"]


def test_what_closes_and_starts_again_has_not_ended(run):
    report, ended = Told(), []
    report.end = ended.append
    background = started(run, report)
    background.close()
    with background:
        background.start(run())
    assert report.methods() == ["start", "close"] * 2
    assert ended == ["stopped"]


def test_without_a_start_closing_only_closes():
    report = Told()
    Background([report]).close()
    assert report.methods() == ["close"]
