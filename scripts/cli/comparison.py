"""Comparison: several runs side by side as readable text, with how far each is and where it was evaluated."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from termwise.cli.results import fits, show_note, show_table, table_of
from trainer.saved.run_folder import RunFolder

_ABSENT = "—"
_ELSEWHERE = "* evaluated at an earlier step than others, so that the values differ by the training in between, too"


def show_evaluations(runs: Mapping[str, RunFolder]) -> None:
    """A table of how far each run is, its best checkpoint, and the raw values of its terms in its last evaluation.

    If some run has metrics, another one of these.
    """
    evaluated = {name: run.evaluation.step for name, run in runs.items() if run.evaluation}
    latest = max(evaluated.values(), default=0)
    texts = {
        name: {
            "steps": run.progress,
            "evaluated at step": _step(evaluated.get(name), latest),
            **_best_checkpoint(run),
            **_numbers(run.raw),
        }
        for name, run in runs.items()
    }
    _show("raw value of each term on the evaluation data", texts)
    if any(step < latest for step in evaluated.values()):
        show_note(_ELSEWHERE)
    if any(run.metrics for run in runs.values()):
        _show("metrics on the evaluation data", {name: _numbers(run.metrics) for name, run in runs.items()})


def show_learned(runs: Mapping[str, RunFolder]) -> None:
    """A table of what each finished run has learned, as its task measures it; none where no task measures anything."""
    if any(run.learned for run in runs.values()):
        _show("what was learned", {name: _numbers(run.learned) for name, run in runs.items()})


def _show(title: str, texts: Mapping[str, Mapping[str, str]]) -> None:
    """A column a run; where those do not fit, a row a run."""
    rows = list(dict.fromkeys(row for cells in texts.values() for row in cells))
    table = _filled(title, list(texts), {row: [cells.get(row, _ABSENT) for cells in texts.values()] for row in rows})
    if not fits(table):
        turned = {name: [cells.get(row, _ABSENT) for row in rows] for name, cells in texts.items()}
        table = _filled(title, rows, turned)
    show_table(table)


def _filled(title: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> Table:
    table = table_of(title, "", columns)
    for name, cells in rows.items():
        table.add_row(name, *cells)
    return table


def _step(step: int | None, latest: int) -> str:
    if step is None:
        return _ABSENT
    return f"{step:,}{' *' if step < latest else ''}"


def _best_checkpoint(run: RunFolder) -> dict[str, str]:
    """Returns the step of the best checkpoint and its value, in a row for each value that runs are compared by."""
    return {} if run.best is None else {f"best {run.best.tag}": f"{run.best.value:.4g} at step {run.best.step:,}"}


def _numbers(values: Mapping[str, float]) -> dict[str, str]:
    return {name: f"{value:.4g}" for name, value in values.items()}
