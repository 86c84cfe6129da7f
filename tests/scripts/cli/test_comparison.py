"""Comparison: no number is cut, and only values of evaluations stand beside one another."""

import pytest
from rich.console import Console

from termwise.cli import results
from termwise.cli.comparison import show_evaluations, show_learned
from trainer.checkpoints.best import Best
from trainer.reports.log import LogRecord
from trainer.saved.run_folder import RunFolder


@pytest.fixture
def narrow(monkeypatch):
    """Standard output of 80 columns, as a pipe has them."""
    monkeypatch.setattr(results, "_CONSOLE", Console(width=80, soft_wrap=True, highlight=False))


@pytest.fixture
def made():
    """A run with one term, that has so many updates and was evaluated at a step, or never."""

    def make(done, evaluated=None, raw=0.5, **changed):
        values = {"terms/data/raw": raw, "terms/data/weighted": raw}
        record = None if evaluated is None else LogRecord("eval", evaluated, values)
        return RunFolder(**{"done": done, "steps": 300, "evaluation": record, "learned": {}, **changed})

    return make


def cells(text):
    return [[cell.strip() for cell in row.split("│")[1:-1]] for row in text.splitlines() if row[:1] == "│"]


def test_a_run_without_an_evaluation_has_no_value(narrow, made, capsys):
    show_evaluations({"a": made(300, 300), "stopped": made(51)})
    shown = capsys.readouterr().out
    assert cells(shown) == [
        ["steps", "300 of 300", "stopped at 51 of 300"],
        ["evaluated at step", "300", "—"],
        ["data", "0.5", "—"],
    ]
    assert "*" not in shown


def test_an_evaluation_at_an_earlier_step_is_marked(narrow, made, capsys):
    show_evaluations({"a": made(300, 300), "b": made(300, 200)})
    shown = capsys.readouterr().out
    assert ["evaluated at step", "300", "200 *"] in cells(shown)
    assert "* evaluated at an earlier step than others" in shown


def test_the_best_checkpoint_has_its_step_and_its_value_in_a_row_of_its_tag(narrow, made, capsys):
    best = {metric: Best(metric, LogRecord("eval", 40, {"a": 0.5, "b": 0.25})) for metric in ("a", "-b")}
    show_evaluations({"a": made(300, 300, best=best["a"]), "b": made(300, 300, best=best["-b"]), "c": made(300, 300)})
    rows = cells(capsys.readouterr().out)
    assert ["best a", "0.5 at step 40", "—", "—"] in rows
    assert ["best b", "—", "0.25 at step 40", "—"] in rows


def test_metrics_have_a_table_of_their_own_if_some_run_has_any(narrow, made, capsys):
    values = {"terms/data/raw": 0.5, "terms/data/weighted": 0.5, "metrics/data": 0.75}
    show_evaluations({"a": made(300, 300), "b": made(300, evaluation=LogRecord("eval", 300, values))})
    shown = capsys.readouterr().out
    assert [row for row in cells(shown) if row[0] == "data"] == [["data", "0.5", "0.5"], ["data", "—", "0.75"]]
    assert "metrics on the evaluation data" in shown


def test_many_runs_are_rows_and_no_cell_is_cut(narrow, made, capsys):
    runs = {f"a run of the name {number}": made(300, 300, 0.001234 + number) for number in range(13)}
    show_evaluations(runs)
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert cells(shown) == [[name, "300 of 300", "300", f"{run.raw['data']:.4g}"] for name, run in runs.items()]
    heads = [head.strip() for head in shown.splitlines()[2].split("┃")[2:-1]]
    assert heads == ["steps", "evaluated at step", "data"]


def test_a_table_wider_than_the_terminal_either_way_keeps_all_of_it(narrow, made, capsys):
    learned = {f"a measure of the name {number}": 1 / (number + 3) for number in range(9)}
    show_learned({f"a run of the name {number}": made(300, learned=learned) for number in range(9)})
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert all(row[1:] == [f"{value:.4g}" for value in learned.values()] for row in cells(shown))


def test_where_nothing_was_measured_there_is_no_table(narrow, made, capsys):
    show_learned({"a": made(300, 300), "b": made(200, 200)})
    assert capsys.readouterr().out == ""
    show_learned({"a": made(300, 300, learned={"error": 0.5}), "b": made(200, 200)})
    assert cells(capsys.readouterr().out) == [["error", "0.5", "—"]]
