"""Progress lines: at any width the bar, the percentage and the time left are there, and nothing moves or is wrapped."""

import math
import re

import pytest

from trainer.reports.terminal.progress_lines import (
    Progress,
    plain_line,
    progress_line,
    settled,
    sum_of_terms,
    terms_line,
)

WIDTHS = (39, 79, 119, 199)


def progress(step=351, steps=2500, rate=17.3, at=60.0):
    return Progress(steps=steps, first_step=0, began=0.0, step=step, at=at, rate=rate)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("steps", [30, 2500, 1_000_000])
def test_the_bar_the_percentage_and_the_time_left_are_there_at_any_width(width, steps):
    line = progress_line(progress(step=21, steps=steps), 60.0, width).plain
    assert len(line) <= width
    assert line.startswith("━" if steps == 30 else "─")
    assert "%" in line
    assert re.search(r"(\d:\d\d|\dd \d\dh) left", line)
    assert ("steps/s" in line) == (width >= 79)
    assert ("elapsed" in line) == (width >= 119 or (width == 79 and steps < 1_000_000))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_columns_do_not_move(width, record):
    lines = [
        progress_line(progress(step=step, rate=rate, at=at), at, width).plain
        for step, rate, at in ((0, 0.0, 0.0), (9, 0.5, 5.0), (351, 17.3, 60.0), (2499, 1234.5, 7000.0))
    ]
    assert len({len(line) for line in lines}) == len({line.index("%") for line in lines}) == 1
    assert len({line.index(" left") for line in lines}) == 1
    lines = [terms_line(record(step).values, settled((), record(step).values), width).plain for step in (1, 99)]
    assert len({len(line) for line in lines}) == len({line.index("=") for line in lines}) == 1


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [1, 3, 12])
def test_the_largest_terms_come_first_and_the_others_are_counted(width, count, record):
    values = record(count=count).values
    line = terms_line(values, settled((), values), width).plain
    assert len(line) <= width
    total, _, terms = line.partition(" = ")
    shown, _, rest = terms.partition("  +")
    numbers = [float(term.split()[-1]) for term in shown.split(" + ")]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) + int(rest or 0) == count
    assert len(numbers) >= (1 if width == 39 else min(count, 3))
    assert float(total.split()[1]) == pytest.approx(values["loss/total"], abs=1e-4)


def test_a_term_keeps_its_place_unless_it_is_clearly_larger(record):
    values = {f"terms/{name}/weighted": value for name, value in {"a": 1.0, "b": 1.1, "c": -4.0}.items()}
    assert settled(["a", "b", "c"], values) == ["c", "a", "b"]
    assert settled(["a", "b"], values | {"terms/b/weighted": 1.3, "terms/c/weighted": math.nan}) == ["b", "a", "c"]


def test_what_is_not_counted_is_a_dash_and_what_is_not_finite_is_shown():
    values = {"loss/total": math.nan, "terms/a/weighted": 0.0, "terms/a/count": 0.0, "terms/b/weighted": -math.inf}
    assert terms_line(values, settled((), values), 60).plain.split() == [
        "total",
        "nan",
        "=",
        "b",
        "-inf",
        "+",
        "a",
        "-",
    ]
    assert sum_of_terms(values) == "total nan = a - + b -inf"


def test_the_time_left_counts_all_that_goes_on_and_is_none_before_the_first_step():
    assert "-:-- left" in plain_line(progress(step=0), 60.0, {"loss/total": 1.0})
    # Half of the steps in a minute, however fast training itself is.
    assert progress(step=1250, rate=1e6).left(60.0) == 60.0
    assert progress(step=1250).left(70.0) == 50.0
    assert progress(step=1250).left(1000.0) == 0.0
    assert progress(step=2500).left(1000.0) == 0.0


def test_after_a_return_to_an_earlier_step_nothing_is_known_of_the_time_left():
    back = Progress(steps=10, first_step=5, began=0.0, step=4, at=1.0)
    assert back.left(2.0) is None
    assert " 40%" in progress_line(back, 2.0, 40).plain
