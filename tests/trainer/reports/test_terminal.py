"""The terminal: a bar where somebody watches, plain lines elsewhere, all terms in both."""

import io

import pytest
from rich.console import Console

from trainer.reports import Terminal


@pytest.fixture
def shown(run, train_line, eval_line):
    """What a run of 40 steps prints, on a terminal or into a file."""

    def show(is_terminal, interval=0.0):
        text = io.StringIO()
        console = Console(file=text, force_terminal=is_terminal, width=200, soft_wrap=True)
        report = Terminal(console, interval=interval)
        report.start(run(headline=("2 terms: data, small", "[red]not markup[/red]")))
        for step in (10, 20, 30, 40):
            report.write(train_line(step))
            report.advance(step, 100.0)
        report.write(eval_line(40))
        report.close()
        return text.getvalue()

    return show


def test_elsewhere_it_prints_plain_lines(shown):
    assert shown(is_terminal=False).splitlines() == [
        "2 terms: data, small",
        "[red]not markup[/red]",
        "step 10 of 40 (25%), 0:00 to go, 100.0 steps/s: total 1.3  data 0.1  small 1.2",
        "step 20 of 40 (50%), 0:00 to go, 100.0 steps/s: total 2.25  data 0.05  small 2.2",
        "step 30 of 40 (75%), 0:00 to go, 100.0 steps/s: total 3.233  data 0.03333  small 3.2",
        "step 40 of 40 (100%), 0:00 to go, 100.0 steps/s: total 4.225  data 0.025  small 4.2",
        "eval at step 40: total 4.225  data 0.025  small 4.2",
    ]


def test_elsewhere_lines_are_rare_but_the_last_step_has_one(shown):
    steps = [line for line in shown(is_terminal=False, interval=3600.0).splitlines() if line.startswith("step")]
    assert [line.split()[1] for line in steps] in (["10", "40"], ["40"])


def test_on_a_terminal_a_bar_is_redrawn(shown):
    text = shown(is_terminal=True)
    assert "\x1b[" in text  # the cursor is moved
    assert "100%" in text
    assert "100 steps/s" in text
    assert "total 4.225  data 0.025  small 4.2" in text
    assert "eval at step 40: total 4.225" in text
    assert "step 10 of 40" not in text


@pytest.mark.parametrize(("rate", "to_go"), [(1.0, "1:10"), (0.1, "11:40"), (0.0, "to go")])
def test_the_remaining_time_is_shown(run, train_line, rate, to_go):
    text = io.StringIO()
    report = Terminal(Console(file=text, force_terminal=False, width=200), interval=0.0)
    report.start(run(steps=80))
    report.write(train_line(10))
    report.advance(10, rate)
    assert f"{to_go}" in text.getvalue()


def test_it_can_be_closed_before_its_start():
    report = Terminal(Console(file=io.StringIO(), force_terminal=True))
    report.close()
    assert not report._console.file.getvalue()
