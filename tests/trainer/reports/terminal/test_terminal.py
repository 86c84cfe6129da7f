"""The terminal: two lines and a table where somebody watches, plain lines elsewhere, all terms in both."""

import io
import re

import pytest
from rich.console import Console

from trainer.reports import JsonLines, Terminal
from trainer.reports.log import LogRecord, LogRecords


@pytest.fixture
def shown(run, record):
    """What a run of 40 steps prints, on a terminal or into a file, before its end and in all."""

    def show(is_terminal, interval=0.0, width=200, count=3):
        text = io.StringIO()
        console = Console(file=text, force_terminal=is_terminal, width=width, height=50, soft_wrap=True)
        report = Terminal(console, interval=interval)
        report.start(run(headline=("2 terms: data, small", "[red]not markup[/red]")))
        for step in (10, 20, 30, 40):
            report.write(LogRecords.of(record(step, count)))
            report.advance(step, 100.0)
            if step == 20:
                report.note("a note")
                report.write(LogRecords.of(record(step, count, "eval")))
        report.write(LogRecords.of(record(40, count, "eval")))
        running = text.getvalue()
        report.end("complete")
        report.close()
        return running, text.getvalue()

    return show


def test_elsewhere_it_prints_plain_lines_with_the_time(shown):
    running, whole = shown(is_terminal=False)
    lines = running.splitlines()
    assert lines[:2] == ["2 terms: data, small", "[red]not markup[/red]"]
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines[2:])
    assert [line[9:] for line in lines[2:]] == [
        "step 10 of 40 (25%), 0:00 left, 100 steps/s: total 0.5253 = data 0.3636 + small 0.1212 + range 0.0404",
        "step 20 of 40 (50%), 0:00 left, 100 steps/s: total 0.2751 = data 0.1905 + small 0.06349 + range 0.02116",
        "a note",
        "eval at step 20: total 0.2751 = data 0.1905 + small 0.06349 + range 0.02116",
        "step 30 of 40 (75%), 0:00 left, 100 steps/s: total 0.1864 = data 0.129 + small 0.04301 + range 0.01434",
        "step 40 of 40 (100%), 0:00 left, 100 steps/s: total 0.1409 = data 0.09756 + small 0.03252 + range 0.01084",
        "eval at step 40: total 0.1409 = data 0.09756 + small 0.03252 + range 0.01084",
    ]
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", whole)
    assert whole.removeprefix(running).splitlines()[0] == "each term at step 40, on the evaluation data"


def test_elsewhere_lines_are_rare_but_the_last_step_has_one(shown):
    steps = re.findall(r"step (\d+) of", shown(is_terminal=False, interval=3600.0)[0])
    assert steps in (["10", "40"], ["40"])


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("count", [3, 12])
def test_on_a_terminal_two_lines_are_redrawn_below_a_table(shown, rows_of, width, count):
    running, whole = shown(is_terminal=True, width=width, count=count)
    rows = rows_of(running, width)
    assert rows[:3] == ["2 terms: data, small", "[red]not markup[/red]", "a note"]
    title, header, middle, last, bar, terms, end = rows[3:]
    assert title.startswith("evaluations")
    assert header.split()[:2] == ["step", "total"]
    assert [middle.split()[0], last.split()[0]] == ["20", "40"]
    assert len(middle) == len(last) == len(header.partition("  +")[0])
    assert re.match(r"━+ .*100%.* left", bar)
    assert terms.startswith("total")
    assert not end
    assert max(map(len, rows)) < width
    rows_of_all = rows_of(whole, width)
    assert rows_of_all[: len(rows) - 3] == rows[:-3]
    assert rows_of_all[len(rows) - 3].startswith("each term at step 40,")
    assert not re.search(r"\d left|━+ ", "".join(rows_of_all[len(rows) - 3 :]))
    assert max(map(len, rows_of_all)) < width


def test_without_unicode_the_bar_is_plain(run, record):
    class Latin(io.StringIO):
        encoding = "latin-1"

    report = Terminal(Console(file=Latin(), force_terminal=True, width=80))
    report.start(run())
    report.write(LogRecords.of(record(10)))
    report.advance(20, 10.0)
    report._console.print("")
    report.close()
    report._console.file.getvalue().encode("latin-1")


@pytest.mark.parametrize(("done", "to_go"), [(10, ":"), (0, "-:--")])
def test_the_remaining_time_is_shown(run, record, done, to_go):
    text = io.StringIO()
    report = Terminal(Console(file=text, force_terminal=False, width=200), interval=0.0)
    report.start(run(steps=80))
    report.write(LogRecords.of(record(10)))
    report.advance(done, 1.0)
    assert to_go in re.search(r", (\S+) left", text.getvalue())[1]


def test_it_can_be_closed_before_its_start():
    report = Terminal(Console(file=io.StringIO(), force_terminal=True))
    report.close()
    assert not report._console.file.getvalue()


def test_it_says_what_is_to_be_said_of_terms_while_it_runs_and_at_the_end(run, record):
    report = Terminal(Console(file=io.StringIO(), force_terminal=True, width=60, height=50), interval=0.0)
    report.start(run(terms=("data", "small", "range"), steps=200))
    for step in range(10, 201, 10):
        report.write(LogRecords.of(record(step, 3)))
    text = report._console.file.getvalue()
    assert text.count("remark: data has 69.2% of the total of late, more than all") == 1
    report.end("complete")
    assert "dominates" in report._console.file.getvalue().removeprefix(text)
    assert "at step 200, in training" in report._console.file.getvalue()


def test_evaluations_that_stay_worse_are_a_remark_and_in_the_log(run, record, tmp_path):
    report = Terminal(Console(file=io.StringIO(), width=80), interval=0.0)
    report.start(run(steps=2000, workdir=tmp_path))
    for i, total in enumerate((2.0, 1.0, *[1.5, 1.51] * 4)):
        values = {"loss/total": total, "terms/data/weighted": total}
        report.write(LogRecords.of(LogRecord("eval", 100 * (i + 1), values)))
    text = "remark: the total of the evaluation was best at step 200 (1), and the last 5 were at least 50% worse;"
    assert " ".join(report._console.file.getvalue().split()).count(text) == 1
    assert text in (tmp_path / "run.log").read_text()


def test_a_run_that_is_left_says_how_far_it_is(run, record):
    report = Terminal(Console(file=io.StringIO(), width=80), interval=0.0)
    report.start(run(terms=("data", "small", "range"), steps=2000))
    report.write(LogRecords.of(record(1207, 3)))
    report.end("stopped")
    report.close()
    assert report._console.file.getvalue().count("each term at step 1,207 of 2,000, in training") == 1


def test_a_run_that_returns_to_an_earlier_step_neither_ends_nor_begins_again(run, record, tmp_path):
    report = Terminal(Console(file=io.StringIO(), width=80), interval=0.0)
    for first_step, has_returned in ((0, False), (20, True)):
        given = {"headline": ("what is trained",), "workdir": tmp_path, "has_returned": has_returned}
        report.start(run(**given, first_step=first_step, terms=("data", "small", "range"), steps=40))
        report.write(LogRecords.of(record(40, 3)))
        report.close()
    report.end("complete")
    for text in (report._console.file.getvalue(), (tmp_path / "run.log").read_text()):
        assert [text.count(once) for once in ("what is trained", "each term at step 40")] == [1, 1]


@pytest.mark.parametrize("damage", ["", '{"split": "train"}\n'])
def test_a_resumed_run_judges_its_terms_by_all_that_was_logged(run, record, tmp_path, damage):
    log, terms = JsonLines(tmp_path), ("data", "small", "range")
    log.start(run())
    log.write(LogRecords.of(record(10, 3)))
    log.close()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write(damage)
    report = Terminal(Console(file=io.StringIO(), width=120))
    report.start(run(workdir=tmp_path, first_step=10, terms=terms))
    zero = {f"terms/{name}/{what}": 0.0 for name in terms for what in ("raw", "weighted")}
    values = {**record(20, 3).values, **zero, "loss/total": 0.0}
    report.write(LogRecords.of(LogRecord("train", 20, values)))
    report.end("stopped")
    text = report._console.file.getvalue()
    assert ("0 in all steps" in text) is bool(damage)
    assert ("of the steps from here on alone: line 2 of" in text) is bool(damage)


def test_of_an_evaluation_alone_the_values_are_shown(run, record):
    report = Terminal(Console(file=io.StringIO(), width=80))
    report.start(run(first_step=40))
    report.write(LogRecords.of(record(40, 3, "eval", metrics__auc=0.75)))
    report.end("complete")
    assert "verdict" not in report._console.file.getvalue()
    assert report._console.file.getvalue().endswith("auc: 0.75\n")


def test_what_it_says_and_why_choices_were_made_is_in_a_file_too(run, record, tmp_path):
    folder = tmp_path / "run"
    for first_step in (0, 20):
        report = Terminal(Console(file=io.StringIO(), width=80))
        details = {"headline": ("what is trained",), "details": ("strategy mirrored: as configured",)}
        report.start(run(**details, workdir=folder, first_step=first_step, terms=("data", "small", "range")))
        report.write(LogRecords.of(record(first_step + 20, 3)))
        report.note("a note")
        report.end("stopped")
        report.close()
        assert "strategy" not in report._console.file.getvalue()
    lines = (folder / "run.log").read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", line) for line in lines)
    texts = [line[20:] for line in lines]
    assert texts[:3] == ["what is trained", "strategy mirrored: as configured", "a note"]
    assert texts[3] == "each term at step 20 of 40, in training"
    assert texts.count("a note") == 2
